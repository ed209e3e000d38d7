"""Decode quarantined messages again, after their cause was removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from custodian.client import CustodianClient
from custodian.errors import CustodianMisuseError
from indexer.counters import Counters
from indexer.events.quarantine import KEPT_MAX_BYTES, Quarantine, Waiting, unpack, waiting
from indexer.events.receive import Receiver, add_offers, load_names, load_skew
from indexer.events.rules import Rules
from indexer.mqtt.driver import Received
from indexer.settings import TopicRule
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

_PACKAGE: Final = "indexer.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """``understood``: events now, or known already. ``unopened``: sealed to a key that is gone."""

    looked_at: int
    understood: int
    still_refused: int
    unopened: int


async def replay(
    pool: asyncpg.Pool,
    custodian: CustodianClient,
    topics: Sequence[TopicRule],
    *,
    ids: Sequence[UUID] | None = None,
    actor: str = "operator",
    clock_ns: Callable[[], int] = time.time_ns,
) -> ReplayReport:
    """All that waits in quarantine, or ``ids``. The custodian puts every opening on record. Safe to repeat.

    An event keeps the time at which it was first received. CustodianAwayError ends it halfway; what was done is done.
    """
    names = await load_names(pool)
    receiver = Receiver(Rules(topics), names, Quarantine(names), await load_skew(pool), Counters())
    outcomes: list[bool | None] = []
    after: tuple[int, UUID] | None = None
    while rows := await waiting(pool, after, ids):
        outcomes.extend([await _replay(pool, custodian, receiver, row, clock_ns) for row in rows])
        after = (rows[-1].received_ns, rows[-1].quarantine_id)
    report = ReplayReport(
        looked_at=len(outcomes),
        understood=outcomes.count(True),
        still_refused=outcomes.count(False),
        unopened=outcomes.count(None),
    )
    detail = {"looked_at": report.looked_at, "understood": report.understood}
    await audit.append(pool, audit.Entry(actor=actor, action="quarantine_replayed", detail=detail), clock_ns())
    return report


async def _replay(
    pool: asyncpg.Pool, custodian: CustodianClient, receiver: Receiver, row: Waiting, clock_ns: Callable[[], int]
) -> bool | None:
    """Whether it is understood now; None when it does not open."""
    try:
        topic, payload = unpack(await custodian.open_intake(row.sealed_payload, reason="replay"))
    except (CustodianMisuseError, ValueError):
        return None
    if len(payload) >= KEPT_MAX_BYTES:
        return False  # of what was longer only the beginning is here
    message = Received(topic, payload, 0, 0, False, True, row.received_ns, None)
    batch = receiver.decode([message])
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            verdicts = await add_offers(conn, batch.offers)
            refused = [*batch.refused, *verdicts.refused]
            if refused:
                await conn.execute(sql.load(_PACKAGE, "quarantine_reason"), row.quarantine_id, refused[0].reason)
            else:
                await conn.execute(sql.load(_PACKAGE, "quarantine_replayed"), row.quarantine_id, clock_ns())
    return not refused
