"""Header and private key to payload key: the custodian's half of opening. No other code decrypts data keys.

A data key is wrapped to an hour key (in the header, or in a newer wrap record), and to the key of each hold that keeps
the segment.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from domain.ids import HourKeyId, RecorderId
from storage.keys.hpke import HPKE
from storage.sealed.errors import RefusedError
from storage.sealed.format import WRAP_SIZE, Header, derive_into, hold_info, wrap_info
from storage.sealed.opener import PayloadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """A wrapped data key and what it is bound to. Made by ``header_wrap()``, ``hour_wrap()`` or ``hold_wrap()``."""

    sealed: bytes
    info: bytes


def header_wrap(header: Header) -> Wrap:
    """The wrap in the segment's header."""
    return hour_wrap(header, header.core.hour_key_id, header.wrap)


def hour_wrap(header: Header, hour_key_id: HourKeyId, sealed: bytes) -> Wrap:
    """A wrap record to an hour key: the newest has precedence over the header (sealed-format.md, "Bytes", wrap)."""
    return Wrap(sealed=sealed, info=wrap_info(hour_key_id, header.core_sha256))


def hold_wrap(header: Header, hold_id: UUID, sealed: bytes) -> Wrap:
    """A wrap record to the key of a hold (sealed-format.md, "Keys", Hold)."""
    return Wrap(sealed=sealed, info=hold_info(hold_id, header.core_sha256))


def rewrap(header: Header, wrap: Wrap, private: X25519PrivateKey, public: X25519PublicKey, info: bytes) -> bytes:
    """Return the data key wrapped to ``public``, bound to ``info`` (``hold_info()``, ``wrap_info()``); 80 bytes.

    RefusedError when ``wrap`` does not open, or holds another segment's data key.
    """
    return HPKE.encrypt(_data_key(header, wrap, private), public, info=info)


def open_header(
    header: Header,
    private: X25519PrivateKey,
    recorders: Mapping[RecorderId, bytes],
    *,
    wrap: Wrap | None = None,
) -> PayloadKey:
    """Return the payload key of one segment. RefusedError when the wrap or the commitment does not match the core.

    ``private``: of the key that ``wrap`` is sealed to; without ``wrap``, of the header's hour key. ``recorders``: the
    Ed25519 public keys of the enrolled recorders; the reader verifies the trailer with them.
    """
    data_key = _data_key(header, header_wrap(header) if wrap is None else wrap, private)
    payload = bytearray(32)
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


def _data_key(header: Header, wrap: Wrap, private: X25519PrivateKey) -> bytes:
    """Unwrap the data key and compare the commitment. RefusedError."""
    data_key = _unwrap(wrap, private)
    if data_key is None:
        raise RefusedError
    commitment = bytearray(32)
    # The commitment comes first: GCM accepts a ciphertext built for two keys, the commitment fits one key only.
    derive_into(data_key, header.core.salt, b"commit", header.core_sha256, commitment)
    if not hmac.compare_digest(commitment, header.commitment):
        raise RefusedError
    return data_key


def _unwrap(wrap: Wrap, private: X25519PrivateKey) -> bytes | None:
    """Open an HPKE message in base mode (RFC 9180, 6.1). None: it does not authenticate under this key and info."""
    if len(wrap.sealed) != WRAP_SIZE:
        return None
    try:
        data_key = HPKE.decrypt(wrap.sealed, private, info=wrap.info)
    except (InvalidTag, ValueError):  # ValueError: enc has low order, the shared secret is zero (RFC 9180, 7.1.4)
        return None
    return data_key if len(data_key) == 32 else None
