"""What a database that was restored from an older copy is without, by the footage that was stored meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.time import NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from upkeep.inspection.restore import Restored, RestoreOutcome

_PACKAGE: Final = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecorded:
    """Footage was stored in ``stored``, and the database knew nothing of it: nor of whatever else came then."""

    stored: Span  # by the store's clock; ends with the second of the last object
    events: int  # door events of that time that are on record nevertheless
    event_before_ns: int | None  # the last one before that time
    event_after_ns: int | None  # the first one behind it


class StoredTime:
    """When the objects were stored that got their row back."""

    def __init__(self) -> None:
        self.span: Span | None = None

    def add(self, written_ns: int, outcome: RestoreOutcome) -> None:
        """One object, and what became of it."""
        if outcome.restored not in (Restored.ROW, Restored.SHADOW):
            return
        known = self.span or Span(written_ns, written_ns)
        # A store says the second in which an object was written, and not when in it.
        self.span = Span(min(known.start_ns, written_ns), max(known.end_ns, written_ns + NS))


async def unrecorded(pool: asyncpg.Pool, stored: Span) -> Unrecorded:
    """Raises the database errors."""
    with wrapped_errors():
        row = await pool.fetchrow(sql.load(_PACKAGE, "events_around"), stored.start_ns, stored.end_ns)
    return Unrecorded(
        stored=stored, events=row["within"], event_before_ns=row["before_ns"], event_after_ns=row["after_ns"]
    )
