"""A second implementation of the sealed segment, version 1: from the design page alone, on PyCryptodome.

It shares no line, no type and no cryptographic library with storage/sealed (which stands on `cryptography`, that is
OpenSSL). It makes half of the vectors beside it and judges all of them. Whole objects only; not for footage.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Mapping

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from Crypto.Protocol.KDF import HKDF
from Crypto.Signature import eddsa

CORE = ">4sBBBB16s16s16s16sq16s"
TRAILER = ">4sB3s16sqQ32s32s"
COMPLETE, RECOVERED = 0, 1


class Refused(Exception):  # noqa: N818
    """The object is not what was sealed."""


def seal(
    plain: bytes,
    *,
    site: bytes,
    camera: bytes,
    segment: bytes,
    hour_key: bytes,
    hour_public: bytes,
    start_ns: int,
    end_ns: int,
    recorder: bytes,
    recorder_private: bytes,
    chunk_log2: int = 14,
    state: int = COMPLETE,
    previous: bytes = bytes(32),
) -> bytes:
    """A whole object. ``state`` RECOVERED: ``plain`` is of full chunks. Ids are 16 bytes, keys raw 32."""
    salt, data_key, size = os.urandom(16), os.urandom(32), 1 << chunk_log2
    core = struct.pack(CORE, b"TLNS", 1, 1, chunk_log2, 0, site, camera, segment, hour_key, start_ns, salt)
    bound = hashlib.sha256(core).digest()
    receiver = import_x25519_public_key(hour_public)
    wrap = HPKE.new(receiver_key=receiver, aead_id=HPKE.AEAD.AES256_GCM, info=b"tallenne/1 wrap" + hour_key + bound)
    sealed_key = wrap.seal(data_key)
    body = core + _derive(data_key, salt, b"commit", bound) + struct.pack(">H", 80) + wrap.enc + sealed_key
    payload = _derive(data_key, salt, b"payload", bound)
    full = len(plain) // size
    for number in range(full):
        body += _encrypt(payload, number, False, plain[number * size : (number + 1) * size])
    if state == COMPLETE:
        body += _encrypt(payload, full, True, plain[full * size :])
    head = struct.pack(
        TRAILER, b"TLNE", state, bytes(3), recorder, end_ns, len(plain), hashlib.sha256(body).digest(), previous
    )
    return body + head + sign(recorder_private, bound, head)


def sign(recorder_private: bytes, bound: bytes, head: bytes) -> bytes:
    """A trailer's signature over the core's hash and the trailer's bytes before it."""
    return eddsa.new(eddsa.import_private_key(recorder_private), "rfc8032").sign(b"tallenne/1 trailer" + bound + head)


def open_whole(data: bytes, hour_private: bytes, recorders: Mapping[bytes, bytes]) -> bytes:
    """The plaintext of an object whose row says ``len(data)``. Refused."""
    try:
        return _open(data, hour_private, recorders)
    except (ValueError, struct.error) as exc:
        raise Refused from exc


def _open(data: bytes, hour_private: bytes, recorders: Mapping[bytes, bytes]) -> bytes:
    core, commitment, length, enc, sealed_key = struct.unpack(">96s32sH32s48s", data[:210])
    magic, version, suite, chunk_log2, flags, _, _, _, hour_key, _, salt = struct.unpack(CORE, core)
    _require((magic, version, suite, flags, length) == (b"TLNS", 1, 1, 0, 80) and 14 <= chunk_log2 <= 18)
    bound, step = hashlib.sha256(core).digest(), (1 << chunk_log2) + 16
    full, rest = divmod(len(data) - 210 - 168, step)
    _require(full >= 0 and (rest == 0 or rest >= 16) and full + (rest > 0) <= 1 << 16)
    head, signature = data[-168:-64], data[-64:]
    magic, state, zeros, recorder, _, plain_len, _, _ = struct.unpack(TRAILER, head)
    _require((magic, zeros, state) == (b"TLNE", bytes(3), COMPLETE if rest else RECOVERED))
    _require(plain_len == full * (step - 16) + max(0, rest - 16) and recorder in recorders)
    signer = eddsa.new(eddsa.import_public_key(recorders[recorder]), "rfc8032")
    signer.verify(b"tallenne/1 trailer" + bound + head, signature)
    key = import_x25519_private_key(hour_private)
    info = b"tallenne/1 wrap" + hour_key + bound
    data_key = HPKE.new(receiver_key=key, aead_id=HPKE.AEAD.AES256_GCM, enc=enc, info=info).unseal(sealed_key)
    _require(hmac.compare_digest(_derive(data_key, salt, b"commit", bound), commitment))
    payload = _derive(data_key, salt, b"payload", bound)
    chunks = [(number, False, data[210 + number * step : 210 + (number + 1) * step]) for number in range(full)]
    if rest:
        chunks.append((full, True, data[210 + full * step : -168]))
    return b"".join(_decrypt(payload, number, last, sealed) for number, last, sealed in chunks)


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _derive(data_key: bytes, salt: bytes, label: bytes, bound: bytes) -> bytes:
    derived: bytes = HKDF(data_key, 32, salt, SHA256, context=b"tallenne/1 " + label + bound)
    return derived


def _cipher(payload: bytes, number: int, last: bool) -> AES.GcmMode:
    return AES.new(payload, AES.MODE_GCM, nonce=number.to_bytes(11, "big") + bytes([last]))


def _encrypt(payload: bytes, number: int, last: bool, plain: bytes) -> bytes:
    return b"".join(_cipher(payload, number, last).encrypt_and_digest(plain))


def _decrypt(payload: bytes, number: int, last: bool, sealed: bytes) -> bytes:
    return _cipher(payload, number, last).decrypt_and_verify(sealed[:-16], sealed[-16:])
