"""`tallenne reconcile`: rows against objects, both ways, while everything runs; exit 1 when they disagreed."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from custodian.client import CustodianClient
from domain.arguments import whole
from domain.ids import CameraId
from domain.time import MINUTE_NS, to_iso
from pipeline.commands.checks.journal import (
    journal_shown,
    lost_shown,
    tell_journal,
    tell_lost,
    tell_unkept,
    tell_unrecorded,
    unkept_shown,
    unrecorded_shown,
)
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.times import local
from pipeline.exit_codes import FAILED, OK
from pipeline.output import progress, say
from runtime.database import open_pool
from storage.store import open_store
from upkeep.inspection.restore import Restored
from upkeep.reconcile import GRACE_NS, ReconcileReport, reconcile


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--repair",
        action="store_true",
        help="rows without their object, and time that nothing accounts for, become gaps; objects without a row get"
        " one; keys and gaps that the database lacks come from the bucket's journal, which gets"
        " again the keys that it lacks; nothing is deleted",
    )
    parser.add_argument(
        "--grace",
        type=whole(0),
        default=GRACE_NS // MINUTE_NS,
        metavar="MINUTES",
        help="objects younger than this may still get their row from their recorder (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_reconcile(arguments))


async def _reconcile(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    names = {camera.camera_id: camera.name for camera in settings.inventory().cameras}
    async with (
        open_pool(settings.database("owner"), application_name="reconcile", statement_timeout_s=120) as pool,
        open_store(settings.store()) as store,
    ):
        report = await reconcile(
            pool,
            store,
            CustodianClient(settings.custodian_socket),
            repair=arguments.repair,
            grace_ns=arguments.grace * MINUTE_NS,
            progress=_progress,
        )
    progress()
    if arguments.json:
        say(json.dumps(_shown(report, names)))
    else:
        _tell(report, names)
    return OK if report.ok else FAILED


def _shown(report: ReconcileReport, names: dict[CameraId, str]) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "repair": report.repaired,
        "rows": report.rows,
        "objects": report.objects,
        "young": report.young,
        "foreign": report.foreign,
        "leftover": report.leftover,
        "quarantined_before": report.quarantined_before,
        "seconds": round(report.seconds, 3),
        "journal": journal_shown(report.journal),
        "unkept_keys": unkept_shown(report.unkept),
        "lost": lost_shown(report.lost),
        "unrecorded": None if report.unrecorded is None else unrecorded_shown(report.unrecorded),
        "bad_row_count": report.bad_row_count,
        "bad_rows": [
            {
                "segment": str(item.segment_id),
                "camera": names.get(item.camera_id, str(item.camera_id)),
                "start": to_iso(item.start_ns),
                "reason": item.flaw.value,
                "repaired": item.repaired,
            }
            for item in report.bad_rows
        ],
        "forged_rows": report.hidden.forged,
        "hidden_rows": report.hidden.rows,
        "orphan_count": report.orphan_count,
        "orphans": [
            {
                "object": item.name,
                "outcome": item.restored.value,
                "reason": item.flaw.value if item.flaw else None,
                "detail": item.detail,
            }
            for item in report.orphans
        ],
    }


def _tell(report: ReconcileReport, names: dict[CameraId, str]) -> None:
    for bad in report.bad_rows:
        done = "a gap now" if bad.repaired else "--repair makes it a gap"
        camera = names.get(bad.camera_id, str(bad.camera_id))
        say(f"ROW     {local(bad.start_ns)}  {camera:<20} {bad.segment_id}  object {bad.flaw}: {done}")
    for item in report.orphans:
        say(f"OBJECT  {item.name}  {_words(item.restored, report.repaired)} {item.flaw or ''} {item.detail}".rstrip())
    more = [
        f"{count} {words}"
        for count, words in (
            (report.young, "young objects wait for their row"),
            (report.leftover, "objects of rows that are gone"),
            (report.quarantined_before, "in quarantine from before"),
            (report.foreign, "names that are not ours"),
        )
        if count
    ]
    say(f"{report.rows} rows, {report.objects} objects in {report.seconds:.1f} s. {'; '.join(more)}".rstrip())
    tell_journal(report.journal, repaired=report.repaired)
    tell_unkept(report.unkept, repaired=report.repaired)
    tell_lost(report.lost, repaired=report.repaired)
    if report.unrecorded is not None:
        tell_unrecorded(report.unrecorded)
    if report.ok:
        say("Rows and objects agree, the journal keeps every key, and each camera's time is accounted for.")
    else:
        say(f"{report.bad_row_count} rows without their object, {report.orphan_count} objects without a row.")
    if report.hidden.forged or report.hidden.rows:
        done = "refused, and the footage is shown again" if report.repaired else "--repair refuses them and shows it"
        forged = f"{report.hidden.forged} rows that no recorder signed hide footage"
        say(f"{forged}, {report.hidden.rows} segments are hidden by nothing: {done}.")


def _words(restored: Restored, repaired: bool) -> str:
    if restored is Restored.QUARANTINED:
        return "in quarantine:" if repaired else "--repair puts it in quarantine:"
    return "has a row again" if repaired else "signed; --repair opens it and makes its row"


def _progress(report: ReconcileReport) -> None:
    progress(f"  {report.rows} rows, {report.objects} objects")
