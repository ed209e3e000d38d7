"""What the custodian keeps on its own disk: the keyring, the signing key, the intake key. Made once, at first start."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """The custodian's secrets, in memory."""

    keyring: Keyring
    signing: Ed25519PrivateKey = field(repr=False)
    intake: X25519PrivateKey = field(repr=False)

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
            _create(directory / _KEYS, paths)
        signing, intake = _load_keys(directory / _KEYS)
        yield Custody(keyring=FileKeyring.load(paths), signing=signing, intake=intake)


def _create(keys: Path, keyrings: Sequence[Path]) -> None:
    # The keys are written last: where they exist, the keyring exists too.
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
