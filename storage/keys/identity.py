"""A recorder's identity: its id, the Ed25519 key that signs trailers, and the custodian's key pinned at enrolment."""

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
    """Created once per recorder and kept for its life. It signs trailers and decrypts nothing (invariant 3)."""

    recorder_id: RecorderId
    pinned_signer: bytes  # the custodian's Ed25519 public key, 32 bytes; hour keys must carry its signature
    private_key: Ed25519PrivateKey = field(repr=False)
    public_key: bytes = field(init=False, compare=False)  # Ed25519, 32 bytes; enrolled with the custodian

    def __post_init__(self) -> None:
        # Computed once: it costs half as much as a signature, and recovery reads it for every file.
        object.__setattr__(self, "public_key", self.private_key.public_key().public_bytes_raw())

    @classmethod
    def create(cls, pinned_signer: bytes) -> RecorderIdentity:
        """Create an identity with a new id and key. ``pinned_signer``: the custodian's public key, 32 bytes."""
        return cls(
            recorder_id=RecorderId(new_id()), pinned_signer=pinned_signer, private_key=Ed25519PrivateKey.generate()
        )

    @classmethod
    def load(cls, path: Path) -> RecorderIdentity | None:
        """Read the identity in ``path``; None when the file does not exist.

        KeyFileError: the file is damaged. PrivateFileError: it belongs to another user, or others can read it.
        """
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
                f"{path} holds no complete recorder identity.",
                "Restore the file, or remove it: the recorder then enrols again under a new id.",
            ) from None

    def save(self, path: Path) -> None:
        """Replace the file ``path``, mode 0600; durable on return. OSError."""
        body = {
            "format": _FORMAT,
            "recorder_id": str(self.recorder_id),
            "pinned_signer": self.pinned_signer.hex(),
            "private_key": self.private_key.private_bytes_raw().hex(),
        }
        write_private(path, json.dumps(body).encode())

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of ``message``, 64 bytes (RFC 8032, 5.1.6)."""
        return self.private_key.sign(message)


def _key_bytes(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != 32:
        raise ValueError
    return data
