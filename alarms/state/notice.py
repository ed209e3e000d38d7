"""A notice: conditions were raised, still last, or are all gone. One notice is one message."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from alarms.conditions import Kind


class Change(StrEnum):
    """The kinds of notices."""

    RAISED = "raised"
    REMINDER = "reminder"
    CLEARED = "cleared"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One condition in a notice."""

    kind: Kind
    subject: str
    what: str
    remedy: str
    since_ns: int
    cleared_ns: int | None = None  # None: it lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``notice_id`` is the same at every attempt to send it; receivers tell repeats by it."""

    notice_id: str
    change: Change
    incident: str
    at_ns: int
    since_ns: int  # of the oldest condition
    lines: tuple[Line, ...]
    also: tuple[Line, ...] = ()  # wrong at this moment, too, but not yet for as long as its kind may be
    follows: tuple[Line, ...] = ()  # what ``lines`` explain

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; ``notice_of()`` reads it."""
        return asdict(self)


def notice_of(data: dict[str, Any]) -> Notice:
    """From ``as_json()``. KeyError, TypeError, ValueError when it is none."""
    lists = {name: tuple(line_of(line) for line in data[name]) for name in ("lines", "also", "follows")}
    return Notice(**{**data, "change": Change(data["change"]), **lists})


def line_of(data: dict[str, Any]) -> Line:
    """From ``asdict()``. KeyError, TypeError, ValueError."""
    return Line(**{**data, "kind": Kind(data["kind"])})
