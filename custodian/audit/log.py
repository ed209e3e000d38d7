"""The audit chain in the database: appending durably, signing its head, keeping the heads elsewhere, verifying."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, ChainEntry, Link, SignedHead, follow, head_message
from custodian.errors import BrokenAuditError
from domain.ids import CameraId, SessionId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.private_files import sync_directory

_PACKAGE: Final = "custodian.audit"
_BATCH: Final = 5000
_LINE_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What is put on record. No names, no pictures: ids, times and counts."""

    actor: str
    action: str
    session_id: SessionId | None = None
    purpose_id: UUID | None = None
    camera_id: CameraId | None = None
    span: Span | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


async def append(pool: asyncpg.Pool | asyncpg.Connection, entry: AuditEntry, at_ns: int) -> int:
    """Its number in the chain, once it is durable."""
    start_ns, end_ns = (entry.span.start_ns, entry.span.end_ns) if entry.span else (None, None)
    with wrapped_errors():
        seq: int = await pool.fetchval(
            sql.load(_PACKAGE, "audit_append"),
            at_ns,
            entry.actor,
            entry.action,
            entry.session_id,
            entry.purpose_id,
            None,
            entry.camera_id,
            start_ns,
            end_ns,
            json.dumps(entry.detail),
        )
    return seq


async def follow_from(conn: asyncpg.Connection | asyncpg.Pool, start: Link) -> Link:
    """The chain's head, every entry after ``start`` verified. BrokenAuditError."""
    while True:
        with wrapped_errors():
            rows = await conn.fetch(sql.load(_PACKAGE, "audit_entries"), start.seq, _BATCH)
        start = follow((ChainEntry(**row) for row in rows), start)
        if len(rows) < _BATCH:
            return start


class HeadSigner:
    """Signs the chain's head when it has grown, and appends every signed head to a file outside the database."""

    def __init__(
        self, pool: asyncpg.Pool, signing: Ed25519PrivateKey, heads: Path, *, clock_ns: Callable[[], int]
    ) -> None:
        self._pool = pool
        self._signing = signing
        self._heads = heads
        self._clock_ns = clock_ns
        self._last: Link | None = None

    @property
    def last_seq(self) -> int:
        """The newest entry that is covered by a signed head; 0: none yet."""
        return self._last.seq if self._last else 0

    async def run_once(self) -> bool:
        """Whether a head was signed. BrokenAuditError when the chain does not follow from the last signed head.

        The first time in a process's life the chain is followed from the newest head in the file, so that a database
        that was rolled back behind it is noticed.
        """
        last = self._last or _newest(read_heads(self._heads), self._signing.public_key().public_bytes_raw())
        await self._require(last)
        head = await follow_from(self._pool, last)
        self._last = last
        if head == last:
            return False
        signed_ns = self._clock_ns()
        signed = SignedHead(link=head, signed_ns=signed_ns, signature=self._signing.sign(head_message(head, signed_ns)))
        with wrapped_errors():
            await self._pool.execute(
                sql.load(_PACKAGE, "audit_add_head"), head.seq, head.hash, signed_ns, signed.signature
            )
        _append_head(self._heads, signed)
        self._last = head
        return True

    async def _require(self, link: Link) -> None:
        if link != START:
            await require_link(self._pool, link)


async def require_link(conn: asyncpg.Connection | asyncpg.Pool, link: Link) -> None:
    """BrokenAuditError unless the database still holds this very entry."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "audit_entries"), link.seq - 1, 1)
    if not rows or (rows[0]["seq"], rows[0]["hash"]) != (link.seq, link.hash):
        raise BrokenAuditError(
            f"Audit entry {link.seq} is no longer what the custodian signed.",
            "The database was changed or rolled back: compare it with its backups and with the file of signed heads.",
        )


async def verify_audit(conn: asyncpg.Connection | asyncpg.Pool, heads: Sequence[SignedHead], signer: bytes) -> Link:
    """Follow the whole chain and hold it against every signed head. The chain's head; BrokenAuditError."""
    for head in heads:
        head.check(signer)
        await require_link(conn, head.link)
    return await follow_from(conn, START)


def read_heads(path: Path) -> list[SignedHead]:
    """The heads kept in the file. BrokenAuditError when a line is damaged; a torn last line is ignored."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
    except FileNotFoundError:
        return []
    try:
        return [_head_from(json.loads(line)) for line in lines[:-1] if line]
    except (ValueError, KeyError, TypeError):
        raise BrokenAuditError(f"{path} is damaged.", "Restore the file of signed audit heads.") from None


def _head_from(body: Mapping[str, Any]) -> SignedHead:
    return SignedHead(
        link=Link(seq=body["seq"], hash=bytes.fromhex(body["hash"])),
        signed_ns=body["signed_ns"],
        signature=bytes.fromhex(body["signature"]),
    )


def _newest(heads: Sequence[SignedHead], signer: bytes) -> Link:
    if not heads:
        return START
    newest = max(heads, key=lambda head: head.link.seq)
    newest.check(signer)
    return newest.link


def _append_head(path: Path, head: SignedHead) -> None:
    line = json.dumps(
        {
            "seq": head.link.seq,
            "hash": head.link.hash.hex(),
            "signed_ns": head.signed_ns,
            "signature": head.signature.hex(),
        }
    )
    fresh = not path.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.truncate(_whole_lines(file))
        file.write(line.encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        sync_directory(path.parent)


def _whole_lines(file: BinaryIO) -> int:
    """Where a line that a crash left torn begins; the file's size when there is none."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LINE_MAX_BYTES)
    file.seek(start)
    return start + file.read().rfind(b"\n") + 1
