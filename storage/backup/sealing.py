"""The bytes of a backup: a head that hands the key of the set to the recovery key, and parts sealed under that key.

A set is one base copy of the database and the log that follows it; all of its parts are sealed under one random key.

Head: "TLNK" | version u8 = 1 | 3 zero bytes | signature 64 | body. The body is JSON in ASCII::

    {"created_ns": ..., "recipient": "<X25519 public key>", "set": "<id>", "wrapped": "<enc 32 | ct 48>"}

wrapped: HPKE (storage/keys/hpke.py) of the 32-byte set key, info = "tallenne/1 backup set" || id of the set.
signature: Ed25519 over "tallenne/1 backup head" || body. It vouches for the set key, and so for every part.

Part: "TLNB" | version u8 = 1 | 3 zero bytes | salt 32 | AES-256-GCM ciphertext and tag. The key is HKDF-SHA256 of the
set key with the salt, info = "tallenne/1 backup part" || name; it seals one message, so that the nonce is zero. A part
opens under its own name only: it can neither take another's place nor come from another set. A missing one is found by
its number.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.backup.errors import BackupDamagedError, RecoveryKeyError
from storage.backup.recovery import RecoveryKey, WritingKeys
from storage.keys.hpke import HPKE

_HEAD_MAGIC: Final = b"TLNK\x01\0\0\0"
_PART_MAGIC: Final = b"TLNB\x01\0\0\0"
_MAGIC_SIZE, _SALT_SIZE, _SIGNATURE_SIZE, _TAG_SIZE = 8, 32, 64, 16
_NONCE: Final = bytes(12)
_REMEDY: Final = "Name another set (`tallenne restore --list` shows them), or another copy of the backup."


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHead:
    """A head whose signature holds."""

    set_id: str
    created_ns: int
    set_key: bytes = field(repr=False)


def pack_head(set_id: str, created_ns: int, set_key: bytes, keys: WritingKeys) -> bytes:
    """The head's bytes."""
    wrapped = HPKE.encrypt(set_key, X25519PublicKey.from_public_bytes(keys.public), info=_head_info(set_id))
    fields = {"created_ns": created_ns, "recipient": keys.public.hex(), "set": set_id, "wrapped": wrapped.hex()}
    body = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")
    return _HEAD_MAGIC + keys.signing.sign(b"tallenne/1 backup head" + body) + body


def open_head(name: str, data: bytes, set_id: str, key: RecoveryKey) -> SetHead:
    """RecoveryKeyError: sealed to another key; BackupDamagedError. ``name``: the head's, for the message."""
    if not data.startswith(_HEAD_MAGIC):
        raise BackupDamagedError(f"{name} is not the head of a backup.", _REMEDY)
    at = _MAGIC_SIZE + _SIGNATURE_SIZE
    signature, body = data[_MAGIC_SIZE:at], data[at:]
    keys = key.writing()
    try:
        fields = json.loads(body)
        recipient, created_ns = bytes.fromhex(fields["recipient"]), int(fields["created_ns"])
        wrapped, of = bytes.fromhex(fields["wrapped"]), str(fields["set"])
    except (ValueError, KeyError, TypeError):
        raise BackupDamagedError(f"{name} is truncated or was changed.", _REMEDY) from None
    if recipient != keys.public:
        raise RecoveryKeyError(
            f"{name} was sealed to another recovery key than this one.", "Find the paper of that installation."
        )
    try:
        Ed25519PublicKey.from_public_bytes(keys.signer).verify(signature, b"tallenne/1 backup head" + body)
        if of != set_id:
            raise InvalidTag
        set_key = HPKE.decrypt(wrapped, key.opening, info=_head_info(set_id))
    except (InvalidSignature, InvalidTag, ValueError):
        raise BackupDamagedError(f"{name} was changed, or not written by this machine.", _REMEDY) from None
    return SetHead(set_id=set_id, created_ns=created_ns, set_key=set_key)


def seal_part(name: str, plain: bytes, set_key: bytes) -> bytes:
    """One part. ``name``: of the part within its set."""
    salt = os.urandom(_SALT_SIZE)
    return _PART_MAGIC + salt + AESGCM(_part_key(name, salt, set_key)).encrypt(_NONCE, plain, None)


def open_part(name: str, data: bytes, set_key: bytes) -> bytes:
    """BackupDamagedError when it is truncated, changed, or another part."""
    at = _MAGIC_SIZE + _SALT_SIZE
    try:
        if not data.startswith(_PART_MAGIC) or len(data) < at + _TAG_SIZE:
            raise InvalidTag
        return AESGCM(_part_key(name, data[_MAGIC_SIZE:at], set_key)).decrypt(_NONCE, data[at:], None)
    except InvalidTag:
        raise BackupDamagedError(f"The part {name} is truncated or was changed.", _REMEDY) from None


def _part_key(name: str, salt: bytes, set_key: bytes) -> bytes:
    info = b"tallenne/1 backup part" + name.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(set_key)


def _head_info(set_id: str) -> bytes:
    return b"tallenne/1 backup set" + set_id.encode()
