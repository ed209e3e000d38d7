"""The audit chain, verified. Pure: entries come from the database or from an export of it.

hash = SHA-256(previous || line); the first entry's previous is 32 zero bytes; seq counts from 1 without holes. The
custodian signs heads: "tallenne/1 audit head" | seq u64 | hash 32 | signed_ns i64, Ed25519.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from custodian.errors import BrokenAuditError

_HEAD: Final = struct.Struct(">Q32sq")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEntry:
    """One row of audit_entry, as far as the chain is concerned."""

    seq: int
    previous: bytes
    line: bytes  # what the database's audit_line() makes of the row as it is now
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place in the chain."""

    seq: int
    hash: bytes


START: Final = Link(seq=0, hash=bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A place in the chain that the custodian vouched for."""

    link: Link
    signed_ns: int
    signature: bytes

    def check(self, signer: bytes) -> None:
        """BrokenAuditError unless ``signer`` (Ed25519, 32 bytes) signed it."""
        try:
            Ed25519PublicKey.from_public_bytes(signer).verify(self.signature, head_message(self.link, self.signed_ns))
        except InvalidSignature:
            raise BrokenAuditError(f"The signed head at audit entry {self.link.seq} is not the custodian's.") from None


def head_message(link: Link, signed_ns: int) -> bytes:
    """What the custodian signs."""
    return b"tallenne/1 audit head" + _HEAD.pack(link.seq, link.hash, signed_ns)


def follow(entries: Iterable[ChainEntry], start: Link = START) -> Link:
    """The last link of ``entries``, which come right after ``start``. BrokenAuditError names the first wrong entry."""
    at = start
    for entry in entries:
        if entry.seq != at.seq + 1:
            raise BrokenAuditError(f"Audit entry {at.seq + 1} is missing.")
        if entry.previous != at.hash:
            raise BrokenAuditError(f"Audit entry {entry.seq} does not follow from the one before it.")
        if entry.hash != hashlib.sha256(entry.previous + entry.line).digest():
            raise BrokenAuditError(f"Audit entry {entry.seq} was changed after it was written.")
        at = Link(seq=entry.seq, hash=entry.hash)
    return at
