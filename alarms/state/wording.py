"""Words a notice: subject and text of a mail, and the body of the webhook. In English; times with their zone.

It names cameras, doors, roles and disks only: no person, no address, no footage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from alarms.state.notice import Change, Line, Notice
from domain.text import printable
from domain.time import NS, to_iso

_HEADS: Final = {
    Change.RAISED: "Alarm",
    Change.REMINDER: "Still",
    Change.CLEARED: "All clear",
    Change.TEST: "Test",
}
_SUBJECT_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The installation's name and time zone."""

    installation: str
    zone: ZoneInfo


def subject(notice: Notice, writer: Writer) -> str:
    """One line: "[Gym] Alarm: Camera Entrance gives no pictures. (and 3 more)"."""
    lasting = [line for line in notice.lines if line.cleared_ns is None] or list(notice.lines)
    others = len(lasting) - 1 + len(notice.also)
    more = f" (and {others} more)" if others else ""
    return _plain(f"[{writer.installation}] {_HEADS[notice.change]}: {lasting[0].what}")[:_SUBJECT_MAX] + more


def text(notice: Notice, writer: Writer) -> str:
    """The body of a mail."""
    parts = [_opening(notice, writer.installation), *(_item(line, writer.zone) for line in notice.lines)]
    if notice.also:
        parts += ["At this moment also:", *(_item(line, writer.zone) for line in notice.also)]
    if notice.follows:
        parts += ["Because of that:", *(_item(line, writer.zone) for line in notice.follows)]
    if notice.change in (Change.RAISED, Change.REMINDER):
        parts.append("`tallenne alarms` shows what is raised now. One message follows when all of this is over.")
    return "\n\n".join(parts) + "\n"


def payload(notice: Notice, writer: Writer) -> dict[str, Any]:
    """The webhook's JSON: ``type`` "alarm.raised", "alarm.reminder", "alarm.cleared" or "alarm.test"."""
    return {
        "type": f"alarm.{notice.change}",
        "timestamp": to_iso(notice.at_ns),
        "data": {
            "installation": writer.installation,
            "incident": notice.incident,
            "since": to_iso(notice.since_ns),
            "subject": subject(notice, writer),
            "conditions": [_fact(line) for line in notice.lines],
            "also": [_fact(line) for line in notice.also],
            "follows": [_fact(line) for line in notice.follows],
        },
    }


def age(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 5 min", "2 days"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def _opening(notice: Notice, installation: str) -> str:
    lasted = age((notice.at_ns - notice.since_ns) / NS)
    return {
        Change.RAISED: f"{installation}: this is wrong.",
        Change.REMINDER: f"{installation}: this has been wrong for {lasted}.",
        Change.CLEARED: f"{installation}: all of this is over, after {lasted}.",
        Change.TEST: f"{installation}: this is a test. Nothing is wrong.",
    }[notice.change]


def _item(line: Line, zone: ZoneInfo) -> str:
    if line.cleared_ns is not None:
        over = f"Over since {_time(line.cleared_ns, zone)}; it began {_time(line.since_ns, zone)}"
        return f"- {over}: {_plain(line.what)}"
    said = f"- {_plain(line.what)} Since {_time(line.since_ns, zone)}."
    return f"{said}\n  {_plain(line.remedy)}" if line.remedy else said


def _time(time_ns: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(time_ns // NS, tz=zone):%Y-%m-%d %H:%M:%S %Z}"


def _fact(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "subject": line.subject,
        "what": _plain(line.what),
        "remedy": _plain(line.remedy),
        "since": to_iso(line.since_ns),
        "cleared": None if line.cleared_ns is None else to_iso(line.cleared_ns),
    }


def _plain(words: str) -> str:
    """What a camera said must not begin a header."""
    return printable(words)
