"""What the role remembers between two rounds and over its restarts: a private file of its own.

It holds the key of the newest set, so that its log can be continued and a drill can open it: what that set holds, the
database beside it holds, too. The key of a set that is not the newest any more is forgotten.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.private_files import read_private, write_private
from storage.backup.errors import BackupPlaceError
from storage.backup.recovery import WritingKeys
from upkeep.backup.files import Sent

_STATE, _KEYS, _FORMAT = "state", "keys", "tallenne backup keys 1"
NO_KEY: Final = "There is no recovery key yet"


@dataclass(slots=True, kw_only=True)
class SetState:
    """One set that is being written."""

    set_id: str
    set_key: str = field(repr=False)  # hexadecimal
    created_ns: int
    number: int = 0  # of the next part of the log
    position: int = 0  # in the server's log: everything before it is in the backup
    stop: int = 0  # the copy is whole from here on
    complete: bool = False
    last_ns: int = 0  # everything committed before is in the backup
    sent: Sent = field(default_factory=dict, repr=False)

    @property
    def key(self) -> bytes:
        """The key of the set, 32 bytes."""
        return bytes.fromhex(self.set_key)


@dataclass(slots=True, kw_only=True)
class BackupState:
    """``current`` gets the log; ``coming`` is being copied, and takes its place once it is whole."""

    current: SetState | None = None
    coming: SetState | None = None

    @classmethod
    def load(cls, directory: Path) -> BackupState:
        """An empty one when there is none, or none that can be read: a new set then begins."""
        try:
            body = json.loads(read_private(directory / _STATE))
            sets = {name: SetState(**body[name]) if body[name] else None for name in ("current", "coming")}
            return cls(**sets)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return cls()

    def save(self, directory: Path) -> None:
        """Durable on return. OSError."""
        write_private(directory / _STATE, json.dumps(asdict(self)).encode(), failpoint="backup.state")


def has_keys(directory: Path) -> bool:
    """Whether a recovery key was made."""
    return (directory / _KEYS).exists()


def write_keys(directory: Path, keys: WritingKeys) -> None:
    """Keep the machine's part of a recovery key. OSError."""
    body = {"format": _FORMAT, "public": keys.public.hex(), "signing": keys.signing.private_bytes_raw().hex()}
    write_private(directory / _KEYS, json.dumps(body).encode())


def read_keys(directory: Path) -> WritingKeys:
    """BackupPlaceError: none was made, or the file is damaged."""
    path, remedy = directory / _KEYS, "Make one and keep it: `tallenne backup make-key`."
    try:
        body = json.loads(read_private(path))
        if body["format"] != _FORMAT:
            raise ValueError
        signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["signing"]))
        return WritingKeys(bytes.fromhex(body["public"]), signing)
    except FileNotFoundError:
        raise BackupPlaceError(f"{NO_KEY}: backups are sealed to it.", remedy) from None
    except (ValueError, KeyError, TypeError):
        raise BackupPlaceError(f"{path} is damaged.", remedy) from None
