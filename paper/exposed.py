"""What the answer to a breach states, gathered from the audit trail by `pipeline.paper.breach`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How data was seen."""

    FOOTAGE = "footage"
    EXPORT = "export"
    SEARCH = "search"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedLook:
    """One entry of the trail. Times are written as the reader sees them."""

    at: str
    person: str
    how: How
    action: str
    purpose: str
    cameras: tuple[str, ...]
    footage: str  # of which time; "" without footage
    members: int  # named by the entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedMember:
    """A member, and why they are in the list. ``name``: "" where the identity was erased."""

    number: str
    name: str
    named: int  # entries that name the member
    cameras: tuple[str, ...]  # whose footage was seen while the member's credential was at a door there


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Everything between ``start`` and ``end``."""

    controller: str
    start: str
    end: str
    person: str  # "": every person
    looks: tuple[ExposedLook, ...]
    members: tuple[ExposedMember, ...]
    events_since: str  # footage from before has no known members; "": no event is kept
    entries_since: str  # when the trail begins; "": it is empty
    whole_register: bool  # the register was exported as a whole
