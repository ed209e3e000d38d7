"""The custodian's secrets on its own disk: keyring, signing key, intake key. Created once, at its first start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.errors import CustodianMisuseError
from runtime.locks import FileLock
from runtime.private_files import private_directory, read_private, write_private
from storage.keys import FileKeyring, KeyFileError, Keyring

_FORMAT: Final = "tallenne custodian keys 1"
_KEYS: Final = "custodian-keys"
_KEYRING: Final = "keyring"
_LOCK: Final = "lock"
_NEW: Final = "no-heads-yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """The custodian's secrets, in memory."""

    keyring: Keyring
    signing: Ed25519PrivateKey = field(repr=False)
    intake: X25519PrivateKey = field(repr=False)
    new: Path  # a file that is there until the first signed head is in every place
    sealing: asyncio.Lock = field(default_factory=asyncio.Lock)  # from sealing a private half to its row's commit

    def begun(self) -> bool:
        """Whether every place has held a signed head: one without has lost them."""
        return not self.new.exists()

    def begin(self) -> None:
        """Every place holds a signed head now."""
        self.new.unlink(missing_ok=True)

    @property
    def signer(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        return self.signing.public_key().public_bytes_raw()


@contextmanager
def open_custody(directory: Path, replicas: Sequence[Path] = ()) -> Iterator[Custody]:
    """Load the secrets, making them when the directory holds none. One process at a time.

    ``replicas``: further copies of the keyring, best on other disks. PrivateFileError when a file is open to others,
    KeyFileError when one is damaged or missing: a lost keyring is never replaced by an empty one. CustodianMisuseError
    when another custodian uses the directory.
    """
    private_directory(directory)
    with FileLock(directory / _LOCK, lambda holder: _in_use(directory, holder)):
        paths = [directory / _KEYRING, *replicas]
        if not (directory / _KEYS).exists() and not any(path.exists() for path in paths):
            _create(directory / _KEYS, paths, directory / _NEW)
        signing, intake = _load_keys(directory / _KEYS)
        yield Custody(keyring=FileKeyring.load(paths), signing=signing, intake=intake, new=directory / _NEW)


def _create(keys: Path, keyrings: Sequence[Path], new: Path) -> None:
    # The keys are written last: where they exist, the keyring exists too.
    write_private(new, b"")
    for path in keyrings:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    FileKeyring.create(keyrings)
    body = {
        "format": _FORMAT,
        "signing": Ed25519PrivateKey.generate().private_bytes_raw().hex(),
        "intake": X25519PrivateKey.generate().private_bytes_raw().hex(),
    }
    write_private(keys, json.dumps(body).encode())


def _load_keys(path: Path) -> tuple[Ed25519PrivateKey, X25519PrivateKey]:
    try:
        body = json.loads(read_private(path))
        if body["format"] != _FORMAT:
            raise ValueError
        return (
            Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["signing"])),
            X25519PrivateKey.from_private_bytes(bytes.fromhex(body["intake"])),
        )
    except FileNotFoundError:
        what = f"{path} is missing while there is a keyring."
    except (ValueError, KeyError, TypeError):
        what = f"{path} is damaged."
    raise KeyFileError(what, "Restore it from the copy made at installation: recorders have pinned its signer.")


def _in_use(directory: Path, holder: str) -> CustodianMisuseError:
    return CustodianMisuseError(
        f"Another custodian uses {directory} ({holder}).", "Stop it first, or give this one a directory of its own."
    )
