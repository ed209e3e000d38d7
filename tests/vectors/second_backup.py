"""A second implementation of a backup's bytes: from the docstring of storage/backup/sealing.py alone, on PyCryptodome.

It shares no line and no cryptographic library with storage/backup. It makes the vectors in ``backup/`` and judges ours.
"""

from __future__ import annotations

import json
import os

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from Crypto.Protocol.KDF import HKDF
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa


def keys(secret: bytes) -> tuple[bytes, bytes]:
    """The private halves that follow from a recovery key: X25519 and Ed25519, 32 bytes each."""
    return _derive(secret, b"", b"tallenne/1 recovery seal"), _derive(secret, b"", b"tallenne/1 recovery sign")


def seal_head(secret: bytes, set_id: str, created_ns: int, set_key: bytes) -> bytes:
    opening, signing = keys(secret)
    public = import_x25519_private_key(opening).public_key().export_key(format="raw")
    receiver = import_x25519_public_key(public)
    wrap = HPKE.new(
        receiver_key=receiver, aead_id=HPKE.AEAD.AES256_GCM, info=b"tallenne/1 backup set" + set_id.encode()
    )
    sealed = wrap.seal(set_key)
    fields = {"created_ns": created_ns, "recipient": public.hex(), "set": set_id, "wrapped": (wrap.enc + sealed).hex()}
    body = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    signer = eddsa.new(eddsa.import_private_key(signing), "rfc8032")
    return b"TLNK\x01\0\0\0" + signer.sign(b"tallenne/1 backup head" + body) + body


def open_head(secret: bytes, data: bytes) -> tuple[str, int, bytes]:
    """Set, when it began, its key. ValueError."""
    opening, signing = keys(secret)
    if data[:8] != b"TLNK\x01\0\0\0":
        raise ValueError
    signature, body = data[8:72], data[72:]
    public = ECC.import_key(eddsa.import_private_key(signing).public_key().export_key(format="DER"))
    eddsa.new(public, "rfc8032").verify(b"tallenne/1 backup head" + body, signature)
    fields = json.loads(body)
    wrapped = bytes.fromhex(fields["wrapped"])
    info = b"tallenne/1 backup set" + fields["set"].encode()
    key = import_x25519_private_key(opening)
    opener = HPKE.new(receiver_key=key, aead_id=HPKE.AEAD.AES256_GCM, enc=wrapped[:32], info=info)
    return fields["set"], fields["created_ns"], opener.unseal(wrapped[32:])


def seal_part(name: str, plain: bytes, set_key: bytes) -> bytes:
    salt = os.urandom(32)
    return b"TLNB\x01\0\0\0" + salt + b"".join(_cipher(name, salt, set_key).encrypt_and_digest(plain))


def open_part(name: str, data: bytes, set_key: bytes) -> bytes:
    """ValueError."""
    if data[:8] != b"TLNB\x01\0\0\0":
        raise ValueError
    return _cipher(name, data[8:40], set_key).decrypt_and_verify(data[40:-16], data[-16:])


def _cipher(name: str, salt: bytes, set_key: bytes) -> AES.GcmMode:
    return AES.new(_derive(set_key, salt, b"tallenne/1 backup part" + name.encode()), AES.MODE_GCM, nonce=bytes(12))


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    derived: bytes = HKDF(key, 32, salt, SHA256, context=info)
    return derived
