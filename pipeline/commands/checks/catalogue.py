"""`tallenne catalogue rebuild`: all that footage needs, from bucket and keyring; exit 1 when something was refused.

`tallenne catalogue prepare`: what `tallenne up` does to the database before it starts the roles, for roles apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from custodian.client import CustodianClient
from domain.arguments import whole
from domain.time import MINUTE_NS
from pipeline.commands.checks.journal import journal_shown, lost_shown, tell_journal, tell_lost
from pipeline.commands.common import add_place, settings_of
from pipeline.exit_codes import FAILED, OK
from pipeline.output import progress, say
from pipeline.services import prepare_database
from runtime.database import open_pool
from storage.store import open_store
from upkeep.rebuild import RebuildReport, rebuild
from upkeep.reconcile import GRACE_NS


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    make = actions.add_parser("rebuild", help="after a loss of the database: keys, rows and gaps from the bucket")
    make.add_argument(
        "--grace",
        type=whole(0),
        default=GRACE_NS // MINUTE_NS,
        metavar="MINUTES",
        help="objects younger than this are left to their recorders (default %(default)s)",
    )
    make.add_argument("--json", action="store_true", help="for scripts")
    add_place(make)
    prepare = actions.add_parser("prepare", help="bring the schema up to date; enter sites, cameras and doors")
    add_place(prepare)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_rebuild(arguments) if arguments.action == "rebuild" else _prepare(arguments))


async def _prepare(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    version = await prepare_database(settings, settings.installation, time.time_ns())
    say(f"The database's schema is {version}; it knows the configuration's sites, cameras and doors.")
    return OK


async def _rebuild(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    async with (
        open_pool(settings.database("owner"), application_name="rebuild", statement_timeout_s=120) as pool,
        open_store(settings.store()) as store,
    ):
        custodian = CustodianClient(settings.custodian_socket)
        report = await rebuild(pool, store, custodian, grace_ns=arguments.grace * MINUTE_NS, progress=_progress)
    progress()
    if arguments.json:
        _print_json(report)
    else:
        _tell(report)
    return OK if report.ok else FAILED


def _print_json(report: RebuildReport) -> None:
    shown = {
        "ok": report.ok,
        "objects": report.objects,
        "known": report.known,
        "young": report.young,
        "foreign": report.foreign,
        "rows": report.rows,
        "shadows": report.shadows,
        "expired": report.expired,
        "journal": journal_shown(report.journal),
        "lost": lost_shown(report.lost),
        "seconds": round(report.seconds, 3),
        "quarantined_count": report.quarantined_count,
        "quarantined": [
            {"object": item.name, "reason": item.flaw.value if item.flaw else None, "detail": item.detail}
            for item in report.quarantined
        ],
    }
    say(json.dumps(shown))


def _tell(report: RebuildReport) -> None:
    for item in report.quarantined:
        say(f"QUARANTINED  {item.name}  {item.flaw} {item.detail}".rstrip())
    say(
        f"{report.objects} objects in {report.seconds:.1f} s: {report.known} had a row, {report.rows} have one now,"
        f" {report.shadows} are hidden behind others, {report.expired} have expired and are left to the keeper,"
        f" {report.quarantined_count} are in quarantine, {report.young} are young and left to their recorders."
    )
    tell_journal(report.journal)
    tell_lost(report.lost, repaired=True)
    say("Nothing expires until a person has looked: `tallenne retention status`, then `tallenne retention confirm`.")


def _progress(report: RebuildReport) -> None:
    progress(f"  {report.objects} objects, {report.rows} rows made")
