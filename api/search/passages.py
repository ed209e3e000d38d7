"""Passages: a grant and what the door then did are one. Pages of them, each passage on one page only. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.http.cursors import cursor_of
from api.http.problems import Problem
from domain.access import AccessEvent, EventKind
from domain.time import DAY_NS, NS
from storage.access import Cursor, EventRow

SAME_NS: Final = 30 * NS
"""A grant and the opening of the door that follows it are one passage."""
PLACE_FOR_NS: Final = 31 * DAY_NS
"""A list goes on for so long; times in words would have no meaning at the beginning of all time."""
_NOT_OURS: Final = ("The cursor is not one of ours.", "Pass on `next` of the page before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins: after ``cursor``. "Today" means what it meant when the first page was asked for."""

    cursor: Cursor
    asked_ns: int

    def pack(self) -> str:
        """Return it as text for a URL, opaque to clients."""
        return f"{self.cursor.pack()}.{self.asked_ns}"


def place_of(text: str | None, now_ns: int) -> Place | None:
    """Return the place that a client passes on from `next`, or None without one. Problem 422: not a place."""
    if text is None:
        return None
    packed, _, asked = text.partition(".")
    if not (asked.isascii() and asked.isdigit() and now_ns - PLACE_FOR_NS <= int(asked) <= now_ns):
        raise Problem(422, "cursor", *_NOT_OURS)
    cursor = cursor_of(packed)
    assert cursor is not None
    return Place(cursor=cursor, asked_ns=int(asked))


def passages(rows: Sequence[EventRow]) -> list[list[EventRow]]:
    """Newest first, as they come; a grant and what the door then did are one, with the grant first."""
    groups: list[list[EventRow]] = []
    for row in rows:
        group = _later_part(groups, row)
        if group is None:
            groups.append([row])
        else:
            group.insert(0, row)
    return groups


def passages_of(page: Sequence[EventRow], around: Sequence[EventRow]) -> list[list[EventRow]]:
    """Return the passages that begin on a page, the newest first.

    ``around`` are the events within SAME_NS of both ends of the page: a grant at its new end belongs to an opening on
    the page before, and an opening at its old end to a grant on the next one.
    """
    here = {row.event.event_id for row in page}
    rows = {row.event.event_id: row for row in (*page, *around)}
    found = passages(sorted(rows.values(), key=_newest, reverse=True))
    return sorted(
        (group for group in found if group[0].event.event_id in here), key=lambda g: _newest(g[0]), reverse=True
    )


def _newest(row: EventRow) -> tuple[int, object]:
    return row.event.occurred_ns, row.event.event_id


def _later_part(groups: list[list[EventRow]], row: EventRow) -> list[EventRow] | None:
    for group in reversed(groups):
        if group[0].event.occurred_ns - row.event.occurred_ns > SAME_NS:
            return None
        if _one_passage(row.event, group[0].event):
            return group
    return None


def _one_passage(earlier: AccessEvent, later: AccessEvent) -> bool:
    return (
        earlier.kind is EventKind.GRANTED
        and later.kind in (EventKind.ENTERED, EventKind.NOT_ENTERED)
        and earlier.door_id == later.door_id
        and (later.member_id is None or later.member_id == earlier.member_id)
    )
