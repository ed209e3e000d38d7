"""What `reconcile` and `catalogue rebuild` say of the bucket's journal, and of time that nothing accounts for."""

from __future__ import annotations

from typing import Any

from domain.time import NS, to_iso
from pipeline.commands.times import local
from pipeline.output import say
from upkeep.holes import LostTime
from upkeep.inspection.journal import JournalReport
from upkeep.inspection.kept_keys import UnkeptKeys
from upkeep.unrecorded import Unrecorded

_NAMES = {
    "recorder": "recorders",
    "camera_lease": "leases of cameras",
    "hour_key": "hour keys",
    "expired_key": "expired hour keys",
    "certificate": "certificates",
    "wrap_record": "wraps",
    "case_file": "cases",
    "hold": "holds",
    "erasure": "erasures",
    "erased_segment": "erased segments",
    "gap": "gaps",
}

CASES = (
    "The bucket holds what cases keep, and nothing that people typed: titles, reasons and notes of cases, their lists"
    " of clips and their exports come from a backup only (docs/BACKUP.md)."
)


def journal_shown(report: JournalReport) -> dict[str, Any]:
    """For scripts."""
    refused = [{"object": item.name, "reason": item.reason} for item in report.refused]
    return {
        "records": report.records,
        "rows": report.rows,
        "refused_count": report.refused_count,
        "refused": refused,
    }


def lost_shown(lost: LostTime) -> dict[str, Any]:
    """For scripts."""
    return {"holes": lost.holes, "seconds": lost.duration_ns / NS}


def unrecorded_shown(found: Unrecorded) -> dict[str, Any]:
    """For scripts."""
    before, after = found.event_before_ns, found.event_after_ns
    return {
        "from": to_iso(found.stored.start_ns),
        "until": to_iso(found.stored.end_ns),
        "events": found.events,
        "last_event_before": None if before is None else to_iso(before),
        "first_event_after": None if after is None else to_iso(after),
    }


def unkept_shown(unkept: UnkeptKeys) -> dict[str, Any]:
    """For scripts."""
    return {
        "count": unkept.count,
        "keys": [{"kind": item.kind.value, "id": str(item.key_id)} for item in unkept.listed],
    }


def tell_unkept(unkept: UnkeptKeys, *, repaired: bool) -> None:
    """Keys that would be lost with the database."""
    done = "the custodian writes it again" if repaired else "--repair has it written again"
    for item in unkept.listed:
        say(f"KEY     {item.kind} {item.key_id}  in no record of the bucket's journal: {done}")


def tell_journal(report: JournalReport, *, repaired: bool = True) -> None:
    """Records that were refused, and what came back."""
    for item in report.refused:
        say(f"RECORD  {item.name}  refused: {item.reason}")
    put_back = [f"{rows} {_NAMES.get(kind, kind)}" for kind, rows in report.rows.items() if rows]
    if report.records and not repaired:
        say(f"{report.records} records in the bucket's journal were read, and their signatures hold.")
    elif report.records:
        say(f"{report.records} records in the bucket's journal; put back: {', '.join(put_back) or 'nothing'}.")
    if report.rows.get("case_file"):
        say(CASES)


def tell_lost(lost: LostTime, *, repaired: bool) -> None:
    """Time that neither footage nor a gap accounts for."""
    if lost.holes:
        done = "gaps now" if repaired else "--repair makes them gaps"
        say(f"{lost.duration_ns / NS:.1f} s in {lost.holes} places were neither footage nor a gap: {done}.")


def tell_unrecorded(found: Unrecorded) -> None:
    """What the database is without, when it comes from an older copy."""
    span = f"between {local(found.stored.start_ns)} and {local(found.stored.end_ns)}"
    say(f"Footage that was stored {span} had no row: the database comes from an older copy, or lost rows.")
    before, after = (None if at is None else local(at) for at in (found.event_before_ns, found.event_after_ns))
    around = f"the last one before is of {before or 'never'}, the first one after of {after or 'not yet'}"
    say(
        f"Door events on record from that time: {found.events} ({around}). What else the doors sent then is missing,"
        " and so are changes of members, staff and exports, and audit entries: enter them again from the door system."
    )
