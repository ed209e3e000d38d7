"""The audit chain as the database holds it: read in batches, followed, and compared with a position known before.

storage/catalogue/audit.py appends the entries; custodian/audit/signer.py signs their head.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import asyncpg

from custodian.audit.chain import START, ChainEntry, Link, claims_to_resume, follow
from custodian.errors import BrokenAuditError
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "custodian.audit"
BATCH: Final = 5000


async def batch_after(conn: asyncpg.Connection | asyncpg.Pool, seq: int, limit: int) -> list[ChainEntry]:
    """Return up to ``limit`` entries whose numbers are higher, in order. The database errors of runtime/errors.py."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "audit_entries"), seq, limit)
    return [ChainEntry(**row) for row in rows]


async def batches(conn: asyncpg.Connection | asyncpg.Pool, limit: int = BATCH) -> AsyncIterator[Sequence[ChainEntry]]:
    """Yield every entry, a batch at a time: memory does not grow with the chain."""
    seq = 0
    while entries := await batch_after(conn, seq, limit):
        yield entries
        seq = entries[-1].seq


async def grown(conn: asyncpg.Connection | asyncpg.Pool, known: Link, *, signer: bytes = b"") -> Link:
    """Return the chain's head, following it from ``known``. BrokenAuditError: ``known`` is gone, or an entry is wrong.

    ``signer``: as of ``follow()``.

    The first batch includes the known entry itself, so that one query is enough while the chain grows slowly.
    """
    entries = await batch_after(conn, max(known.seq - 1, 0), BATCH)
    if known != START:
        _require(entries, known)
    at = follow([entry for entry in entries if entry.seq > known.seq], known, signer=signer)
    while len(entries) == BATCH:
        entries = await batch_after(conn, at.seq, BATCH)
        at = follow(entries, at, signer=signer)
    return at


async def require(conn: asyncpg.Connection | asyncpg.Pool, known: Link) -> None:
    """BrokenAuditError unless the database still holds the entry with this number and hash, unchanged."""
    if known != START:
        _require(await batch_after(conn, known.seq - 1, 1), known)


def _require(entries: Sequence[ChainEntry], known: Link) -> None:
    if entries and (entries[0].seq, entries[0].hash) == (known.seq, known.hash):
        follow(entries[:1], Link(seq=known.seq - 1, hash=entries[0].previous))
        return
    behind = bool(entries) and (entries[0].seq, entries[0].previous) == (known.seq + 1, known.hash)
    if behind and claims_to_resume(entries[0]):
        return  # lost, and the chain goes on behind it: see custodian/audit/resume.py
    raise BrokenAuditError(
        f"Audit entry {known.seq} is no longer what the custodian signed.",
        "The database was changed or rolled back: `tallenne audit verify` names what is missing or changed.",
    )
