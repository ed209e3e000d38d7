"""One record of the journal: rows, and the signature of the role that made them.

Bytes: "TLNJ" | version u8 = 1 | 3 zero bytes | signer 32 | signature 64 | body. The body is JSON in ASCII::

    {"attempt": 0, "hour_ns": ..., "kind": "hour_key", "rows": [{...}, ...]}

signature: Ed25519 of the signer over "tallenne/1 journal" || body. The name of the object follows from the body: a
record that is moved, changed or signed by anybody else is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.errors import PeerError, StorageError
from domain.time import hour_of
from storage.journal.names import JournalKind, RecordName

_MAGIC: Final = b"TLNJ\x01\0\0\0"
_LABEL: Final = b"tallenne/1 journal"
_SIGNER: Final = slice(8, 40)
_SIGNATURE: Final = slice(40, 104)
_HEAD: Final = 104
RECORD_MAX_BYTES: Final = 8 << 20

Row = dict[str, Any]


class BadRecordError(StorageError, PeerError):
    """The object is not a record, or its signer may not write it under this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """A record whose signature holds. ``rows`` are the signer's word, and only as far true as the signer is trusted."""

    name: str  # the object's
    kind: JournalKind
    hour_ns: int
    signer: bytes  # Ed25519 public key, 32 bytes
    rows: Sequence[Row]


def pack_record(
    kind: JournalKind,
    at_ns: int,
    rows: Sequence[Row],
    signer: bytes,
    sign: Callable[[bytes], bytes],
    *,
    attempt: int = 0,
) -> tuple[str, bytes]:
    """The object's name and bytes. ``at_ns``: in the hour that the record belongs to. ``rows`` hold JSON's types.

    ``attempt``: gives the same rows another name, where another writer has taken theirs.
    """
    fields = {"attempt": attempt, "hour_ns": hour_of(at_ns), "kind": kind.value, "rows": list(rows)}
    body = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")
    name = RecordName(kind=kind, hour_ns=hour_of(at_ns), digest=_digest(body))
    return str(name), _MAGIC + signer + sign(_LABEL + body) + body


def open_record(name: RecordName, data: bytes, signers: Collection[bytes]) -> JournalRecord:
    """Verify an object. ``signers``: the public keys that may sign a record of this kind. BadRecordError."""
    if len(data) < _HEAD or not data.startswith(_MAGIC):
        raise BadRecordError("It is not a record of the journal.")
    signer, signature, body = data[_SIGNER], data[_SIGNATURE], data[_HEAD:]
    if signer not in signers:
        raise BadRecordError("Its signer is unknown, or may not write such records.")
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, _LABEL + body)
    except InvalidSignature:
        raise BadRecordError("Its signature does not hold.") from None
    # From here on the signer wrote the body. The name was not signed, and follows from it.
    if _digest(body) != name.digest:
        raise BadRecordError("It is the record of another name.")
    try:
        fields = json.loads(body)
        kind, hour_ns, rows = JournalKind(fields["kind"]), fields["hour_ns"], fields["rows"]
    except (ValueError, KeyError, TypeError):
        raise BadRecordError("Its body is invalid.") from None
    if (kind, hour_ns) != (name.kind, name.hour_ns):
        raise BadRecordError("It is the record of another name.")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRecordError("Its body is invalid.")
    return JournalRecord(name=str(name), kind=kind, hour_ns=hour_ns, signer=signer, rows=rows)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
