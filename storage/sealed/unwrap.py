"""Header and hour key to payload key: the custodian's half of opening. No other code decrypts data keys."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import HourKeyId, RecorderId
from storage.keys.hpke import HPKE
from storage.sealed.errors import RefusedError
from storage.sealed.format import WRAP_SIZE, Header, derive_into, wrap_info
from storage.sealed.opener import PayloadKey


def open_header(
    header: Header,
    hour_private: X25519PrivateKey,
    recorders: Mapping[RecorderId, bytes],
    *,
    wrap: bytes | None = None,
    hour_key_id: HourKeyId | None = None,
) -> PayloadKey:
    """Return the payload key of one segment. RefusedError when the wrap or the commitment does not match the core.

    ``hour_private``: the private half of the hour key that wraps the data key. ``recorders``: the Ed25519 public keys
    of the enrolled recorders; the reader verifies the trailer with them. ``wrap`` and ``hour_key_id``: the newest wrap
    record of the catalogue, which has precedence over the header's wrap (sealed-format.md, "Bytes", wrap).
    """
    wrap = header.wrap if wrap is None else wrap
    hour_key_id = header.core.hour_key_id if hour_key_id is None else hour_key_id
    data_key = _unwrap(wrap, hour_private, wrap_info(hour_key_id, header.core_sha256))
    if data_key is None:
        raise RefusedError
    commitment, payload = bytearray(32), bytearray(32)
    # The commitment comes first: GCM accepts a ciphertext built for two keys, the commitment fits one key only.
    derive_into(data_key, header.core.salt, b"commit", header.core_sha256, commitment)
    if not hmac.compare_digest(commitment, header.commitment):
        raise RefusedError
    derive_into(data_key, header.core.salt, b"payload", header.core_sha256, payload)
    return PayloadKey(
        segment_id=header.core.segment_id,
        camera_id=header.core.camera_id,
        start_ns=header.core.start_ns,
        chunk_log2=header.core.chunk_log2,
        core_sha256=header.core_sha256,
        key=bytes(payload),
        recorders=recorders,
    )


def _unwrap(wrap: bytes, hour_private: X25519PrivateKey, info: bytes) -> bytes | None:
    """Open an HPKE message in base mode (RFC 9180, 6.1). None: it does not authenticate under this key and info."""
    if len(wrap) != WRAP_SIZE:
        return None
    try:
        data_key = HPKE.decrypt(wrap, hour_private, info=info)
    except (InvalidTag, ValueError):  # ValueError: enc has low order, the shared secret is zero (RFC 9180, 7.1.4)
        return None
    return data_key if len(data_key) == 32 else None
