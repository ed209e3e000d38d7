"""Access: doors, events, tags, visits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.ids import CameraId, DoorId, EventId, MemberId, SegmentId, SiteId
from domain.time import NS, Span

DEFAULT_BEFORE_NS = 5 * NS
DEFAULT_AFTER_NS = 10 * NS
SKEW_LIMIT_NS = 30 * NS
"""A controller whose clock is off by more marks its tags uncertain."""


class EventKind(StrEnum):
    """Granted is not entered. The values are stored; do not rename them."""

    GRANTED = "granted"
    DENIED = "denied"
    ENTERED = "entered"  # door opened after a grant
    NOT_ENTERED = "not_entered"
    FORCED_OPEN = "forced_open"
    HELD_OPEN = "held_open"
    EXIT = "exit"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorCamera:
    """A camera that sees a door, and how long before and after an event it is of interest."""

    camera_id: CameraId
    before_ns: int = DEFAULT_BEFORE_NS
    after_ns: int = DEFAULT_AFTER_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent:
    """A door's report, after the credential has been replaced by the internal member id."""

    event_id: EventId
    site_id: SiteId
    door_id: DoorId
    kind: EventKind
    direction: Direction | None
    member_id: MemberId | None
    occurred_ns: int  # the controller's clock, unless reported_ns says otherwise
    received_ns: int  # ours
    uncertain: bool
    reported_ns: int | None = None  # the controller's clock, where it says that the event is still to come


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A segment and an access event that overlap.

    It says "credential of member M opened door D at time T", never that the person in the picture is M.
    """

    event_id: EventId
    segment_id: SegmentId
    camera_id: CameraId
    span: Span  # [t - before, t + after)
    uncertain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A member's time inside a site, from access events. ``end_ns`` None: still inside, as far as the doors know."""

    member_id: MemberId
    site_id: SiteId
    start_ns: int
    end_ns: int | None
    first_event: EventId
    last_event: EventId | None
