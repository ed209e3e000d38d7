"""Verifies the audit chain. Pure: entries come from the database or from an export of it.

hash = SHA-256(previous || line). The first entry's previous is 32 zero bytes; seq counts from 1 without holes. Changing
an entry changes its hash and so breaks the next one; recomputing all later hashes breaks the next signed head. A head
is signed with Ed25519 (RFC 8032) over "tallenne/1 audit head" | seq u64 | hash 32 | signed_ns i64, big-endian.

A database that is restored from a backup ends before the newest signed head. The chain then goes on behind that head,
with an entry ``audit_resumed``: its previous is the head's hash, and its detail holds the custodian's signature over
"tallenne/1 audit resumed" | last entry left: seq u64, hash 32 | the head: seq u64, hash 32. What lies between is lost,
on record; without the signature it is missing.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from custodian.errors import BrokenAuditError

_HEAD: Final = struct.Struct(">Q32sq")
_LINK: Final = struct.Struct(">Q32s")
RESUMED: Final = "audit_resumed"
_FIELDS: Final = 12  # of audit_line()
_ACTION: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEntry:
    """The columns of a row of ``audit_entry`` that form the chain."""

    seq: int
    previous: bytes  # the previous entry's hash, as stored with this one
    line: bytes  # the row's present content, serialized by the database's audit_line()
    hash: bytes  # as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A position in the chain: an entry's number and hash."""

    seq: int
    hash: bytes


START: Final = Link(seq=0, hash=bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A position in the chain that the custodian signed: every entry up to it was verified at that time."""

    link: Link
    signed_ns: int
    signature: bytes  # Ed25519, 64 bytes

    def check(self, signer: bytes) -> None:
        """BrokenAuditError unless ``signer`` (Ed25519 public key, 32 bytes) signed this head."""
        try:
            Ed25519PublicKey.from_public_bytes(signer).verify(self.signature, head_message(self.link, self.signed_ns))
        except InvalidSignature:
            raise BrokenAuditError(f"The signed head at audit entry {self.link.seq} is not the custodian's.") from None


def head_message(link: Link, signed_ns: int) -> bytes:
    """Return the message that the custodian signs. The label separates it from everything else the key signs."""
    return b"tallenne/1 audit head" + _HEAD.pack(link.seq, link.hash, signed_ns)


def resumed_message(left: Link, head: Link) -> bytes:
    """What the custodian signs when the chain goes on behind ``head`` although the database ends with ``left``."""
    return b"tallenne/1 audit resumed" + _LINK.pack(left.seq, left.hash) + _LINK.pack(head.seq, head.hash)


def claims_to_resume(entry: ChainEntry) -> str:
    """The signature that the entry gives for it, in hexadecimal; "" when it is another kind of entry."""
    fields = entry.line.split(b"\x1f")
    if len(fields) != _FIELDS or fields[_ACTION] != RESUMED.encode():
        return ""
    try:
        return str(json.loads(fields[-1])["signature"])
    except (ValueError, KeyError, TypeError):
        return ""


def resumes(entry: ChainEntry, left: Link, signer: bytes) -> bool:
    """Whether the custodian vouches for the entries between ``left`` and this one being lost."""
    signature = claims_to_resume(entry)
    if not signature or entry.seq <= left.seq + 1:
        return False
    message = resumed_message(left, Link(seq=entry.seq - 1, hash=entry.previous))
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def follow(entries: Iterable[ChainEntry], start: Link = START, *, signer: bytes = b"") -> Link:
    """Verify ``entries``, which follow right after ``start``, and return the position of the last one.

    signer: the custodian's key, by which it may have resumed the chain after a restoration
    BrokenAuditError names the first wrong entry.
    """
    at = start
    for entry in entries:
        if signer and resumes(entry, at, signer):
            at = Link(seq=entry.seq - 1, hash=entry.previous)
        # All three checks are needed: a removed entry leaves a hole, a replaced one breaks the link to its predecessor
        # although its own hash is right, and a changed one no longer matches its hash.
        if entry.seq != at.seq + 1:
            raise BrokenAuditError(f"Audit entry {at.seq + 1} is missing.")
        if entry.previous != at.hash:
            raise BrokenAuditError(f"Audit entry {entry.seq} does not follow from the one before it.")
        if entry.hash != hashlib.sha256(entry.previous + entry.line).digest():
            raise BrokenAuditError(f"Audit entry {entry.seq} was changed after it was written.")
        at = Link(seq=entry.seq, hash=entry.hash)
    return at
