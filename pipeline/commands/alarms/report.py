"""The last state of the notify role, for `tallenne alarms`."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from alarms.send.channels import channels
from alarms.settings import AlarmSettings
from alarms.state.journal import read
from alarms.state.outbox import Entry, Outbox
from alarms.state.wording import Writer, subject
from domain.time import to_iso
from pipeline.errors import SetupError
from runtime.errors import PrivateFileError
from runtime.status import NOT_KNOWN, statuses


def report_of(settings: AlarmSettings) -> dict[str, Any]:
    """Return the last state of the notify role as JSON. ``ok``: it runs, and no alarm that is raised lasts."""
    role = next((one for one in statuses(settings.run_directory) if one["role"] == "notify"), None)
    watched = role is not None and role["state"] not in NOT_KNOWN
    raised = [_dated(one) for one in (role or {}).get("raised", ())]
    outbox = _outbox(settings)
    writer = Writer(installation=settings.name, zone=ZoneInfo(settings.time_zone))
    return {
        "ok": watched and all(one["over_since"] for one in raised),
        "watched": watched,
        "silent_since": to_iso(role["updated_ns"])
        if role is not None and not watched and "updated_ns" in role
        else None,
        "channels": sorted(channels(settings)),
        "raised": raised,
        "problems": (role or {}).get("problems", []),
        "messages": [_message(entry, writer) for entry in outbox.entries],
        "given_up": outbox.given_up,
    }


def _dated(one: dict[str, Any]) -> dict[str, Any]:
    over_ns = one.get("over_since_ns")
    return {**one, "since": to_iso(one["since_ns"]), "over_since": None if over_ns is None else to_iso(over_ns)}


def _outbox(settings: AlarmSettings) -> Outbox:
    try:
        return Outbox((read(settings.directory) or {}).get("outbox"))
    except PrivateFileError:
        return Outbox()  # only the role's user may read its state
    except (KeyError, TypeError, ValueError):
        raise SetupError(
            f"The state in {settings.directory} cannot be read.", "The notify role creates it anew."
        ) from None


def _message(entry: Entry, writer: Writer) -> dict[str, Any]:
    return {
        "at": to_iso(entry.notice.at_ns),
        "change": entry.notice.change,
        "subject": subject(entry.notice, writer),
        "sent": {target: to_iso(at_ns) for target, at_ns in entry.sent_ns.items()},
        "waiting": sorted(entry.waiting),
        "given_up": entry.given_up,
    }
