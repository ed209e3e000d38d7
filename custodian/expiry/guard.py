"""Whether the time can be believed, and whether a person should look first. Pure.

Nothing that is destroyed comes back. A clock that is days ahead would destroy everything, so the clock is compared with
whatever else tells the time: what this custodian saw last, the database, the newest footage. None of them has to agree
exactly; more than ``AHEAD_NS`` ahead of one of them, an operator decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from custodian.errors import RetentionHeldError
from domain.time import HOUR_NS, NS, to_iso

AHEAD_NS: Final = 25 * HOUR_NS
HOURS_FOR_EACH_CAMERA: Final = 25
"""As many camera-hours of each camera may expire at once as are overdue after a day's outage."""
_REMEDY: Final = "See `tallenne retention status`; if the time is right, run `tallenne retention confirm`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known at one look. Times are UTC nanoseconds."""

    now_ns: int
    tick_ns: int | None  # the time that this custodian saw last; None: it never wrote one down
    confirmed_ns: int  # when an operator last confirmed the time; 0: never
    database_ns: int
    footage_ns: int | None  # start of the newest segment; None: there is none
    keys_known: bool  # whether the database knows any hour key
    paused: str | None  # why retention is off, in words
    camera_hours: int  # with footage, overdue now
    at_once: int  # so many may expire without being asked about


def doubt(evidence: Evidence) -> RetentionHeldError | None:
    """Why nothing may be destroyed now; None: it may."""
    if evidence.paused is not None:
        return RetentionHeldError(f"Nothing expires: {evidence.paused}.", _REMEDY)
    if not evidence.keys_known:
        what = "Nothing expires: the database knows no hour key, though the keyring has entries that are over."
        return RetentionHeldError(what, "Restore or rebuild the database first. " + _REMEDY)
    for ahead_ns, of in _differences(evidence):
        if ahead_ns > AHEAD_NS:
            what = f"Nothing expires: the clock ({to_iso(evidence.now_ns)}) is {_hours(ahead_ns)} h ahead of {of}."
            return RetentionHeldError(what, _REMEDY)
    if evidence.camera_hours > evidence.at_once:
        what = (
            f"Nothing expires: {evidence.camera_hours} camera-hours are overdue at once, more than the"
            f" {evidence.at_once} that may expire without an operator's word."
        )
        return RetentionHeldError(what, _REMEDY)
    return None


def _differences(evidence: Evidence) -> list[tuple[int, str]]:
    """How far the clock is ahead of each witness."""
    now_ns = evidence.now_ns
    # Without a tick nothing says when this custodian last ran: as far ahead as can be.
    tick_ns = evidence.tick_ns if evidence.tick_ns is not None else 0
    found = [
        (now_ns - tick_ns, "the time that the custodian saw last"),
        (now_ns - evidence.database_ns, "the database's"),
    ]
    if evidence.footage_ns is not None:
        newest_ns = max(evidence.footage_ns, evidence.confirmed_ns)
        found.append((now_ns - newest_ns, "the newest footage"))
    return found


def _hours(time_ns: int) -> int:
    return time_ns // NS // 3600
