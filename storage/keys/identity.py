"""Who a recorder is: an id, an Ed25519 key that signs trailers, and the custodian's signer pinned at enrolment."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import RecorderId, new_id
from runtime.private_files import read_private, write_private
from storage.keys.errors import KeyFileError

_FORMAT: Final = "tallenne recorder identity 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderIdentity:
    """Stays with the machine for its life. It can sign; it can open nothing."""

    recorder_id: RecorderId
    pinned_signer: bytes  # Ed25519 public key, 32 bytes: whose hour keys this recorder believes
    private_key: Ed25519PrivateKey = field(repr=False)
    public_key: bytes = field(init=False, compare=False)  # 32 bytes, to be enrolled

    def __post_init__(self) -> None:
        # Once: deriving it takes as long as half a signature, and recovery asks for each file.
        object.__setattr__(self, "public_key", self.private_key.public_key().public_bytes_raw())

    @classmethod
    def create(cls, pinned_signer: bytes) -> RecorderIdentity:
        """A new recorder that believes the hour keys of this signer only."""
        return cls(
            recorder_id=RecorderId(new_id()), pinned_signer=pinned_signer, private_key=Ed25519PrivateKey.generate()
        )

    @classmethod
    def load(cls, path: Path) -> RecorderIdentity | None:
        """The identity kept in ``path``; None when there is none yet. PrivateFileError: open to others, or damaged."""
        try:
            body = json.loads(read_private(path))
            if body["format"] != _FORMAT:
                raise ValueError
            return cls(
                recorder_id=RecorderId(UUID(body["recorder_id"])),
                pinned_signer=_key_bytes(body["pinned_signer"]),
                private_key=Ed25519PrivateKey.from_private_bytes(_key_bytes(body["private_key"])),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise KeyFileError(
                f"{path} is not a whole recorder identity.",
                "Restore it, or remove it: the recorder then enrols again under a new id.",
            ) from None

    def save(self, path: Path) -> None:
        """Durable and 0600."""
        body = {
            "format": _FORMAT,
            "recorder_id": str(self.recorder_id),
            "pinned_signer": self.pinned_signer.hex(),
            "private_key": self.private_key.private_bytes_raw().hex(),
        }
        write_private(path, json.dumps(body).encode())

    def sign(self, message: bytes) -> bytes:
        """Ed25519, 64 bytes."""
        return self.private_key.sign(message)


def _key_bytes(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != 32:
        raise ValueError
    return data
