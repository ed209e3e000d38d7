"""`tallenne members import FILE` and `export FILE`: members, their credentials and the register, as lists."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from domain.arguments import whole
from indexer.members.ending import Missing
from indexer.members.importing import Ending, ImportReport, import_members
from pipeline.commands.common import add_place, settings_of
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import say
from runtime.database import open_pool, wrapped_errors
from runtime.private_files import make_private
from storage.catalogue import audit
from storage.register import Field
from storage.register.table import export_lines, import_rows

_EXAMPLES = """examples:
  tallenne members import members.csv --dry-run
  tallenne members import members.csv
  tallenne members import members.csv --end-missing --dry-run

With --end-missing the list is the whole register: the cards of members who are not in it end now; past events stay
theirs. Ending more than a tenth of the members needs --confirm NUMBER, the number that the dry run shows.

members.csv, in UTF-8; only the number and the name must be there:
  number,name,credential,valid_from,valid_to,minor
  1041,Aino Aalto,04:A1:B2:C3,2026-01-01,2026-12-31,no

Columns of the register may follow: birth_date, email, phone, address, other, membership, member_from, member_to, and
offers_email, offers_sms, offers_post (no: the member wants no offers). A blank leaves what is there as it is.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EXAMPLES, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    bring = actions.add_parser("import", help="add and change members as a CSV says; all of it or nothing")
    bring.add_argument("file", type=Path, help="number,name,credential,valid_from,valid_to,minor")
    bring.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    bring.add_argument("--end-missing", action="store_true", help="end members who are not in the list")
    bring.add_argument(
        "--confirm", type=whole(0, 10_000_000), metavar="N", help="with --end-missing: the number of members that end"
    )
    bring.add_argument("--json", action="store_true", help="for scripts")
    add_place(bring)
    take = actions.add_parser("export", help="write the register as CSV, for no other eyes; on record")
    take.add_argument("file", type=Path, help="must not be there yet")
    add_place(take)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.action == "export":
        return asyncio.run(_export(arguments))
    if arguments.confirm is not None and not arguments.end_missing:
        raise SetupError("--confirm says how many members --end-missing may end.", "Give both.")
    report, register_changed = asyncio.run(_import(arguments))
    if arguments.json:
        said = asdict(replace(report, register=()))
        del said["register"]
        say(json.dumps({**said, "register_changed": register_changed}, default=str))
    else:
        _print(report, register_changed)
    return FAILED if report.errors else OK


async def _export(arguments: argparse.Namespace) -> int:
    if arguments.file.exists():
        raise SetupError(f"{arguments.file} is there already.", "Name a new file.")
    settings = settings_of(arguments)
    async with open_pool(settings.database("serve"), application_name="members") as pool, pool.acquire() as conn:
        detail = {"fields": [each.value for each in Field]}
        entry = audit.Entry(actor="operator", action="register_exported", detail=detail)
        await audit.append(conn, entry, time.time_ns())
        lines = [line async for line in export_lines(conn, list(Field))]
    try:
        make_private(arguments.file, "".join(lines).encode())
    except OSError as exc:
        raise SetupError(f"{arguments.file} cannot be written: {exc.strerror}.", "Name another place.") from exc
    say(f"Wrote {len(lines) - 1} members to {arguments.file}. It holds personal data: delete it when it has served.")
    return OK


async def _import(arguments: argparse.Namespace) -> tuple[ImportReport, int]:
    """The report, and how many members' register changed, or with a dry run may change."""
    settings = settings_of(arguments)
    ending = Ending(confirmed=arguments.confirm) if arguments.end_missing else None
    async with open_pool(settings.database("index"), application_name="members") as pool:
        if ending and not (arguments.dry_run or arguments.json):
            _print_missing((await import_members(pool, arguments.file, True, ending=ending)).missing)
        report = await import_members(pool, arguments.file, arguments.dry_run, ending=ending)
    if not report.applied:
        return report, len(report.register)
    async with open_pool(settings.database("serve"), application_name="members") as pool, pool.acquire() as conn:
        with wrapped_errors():
            async with conn.transaction():
                changed = await import_rows(conn, report.register, time.time_ns())
                if changed:
                    entry = audit.Entry(actor="operator", action="register_changed", detail={"members": changed})
                    await audit.append_in(conn, entry, time.time_ns())
    return report, changed


def _print(report: ImportReport, register_changed: int) -> None:
    for error in report.errors:
        say(str(error))
    if report.errors:
        say(f"{len(report.errors)} errors: nothing was imported.")
        return
    if not report.applied:
        _print_missing(report.missing)
    done = "Imported" if report.applied else "Would import"
    say(
        f"{done} {report.lines} lines: {report.members_new} members new, {report.members_changed} changed;"
        f" credentials: {report.credentials_new} new, {report.credentials_changed} changed,"
        f" {report.credentials_closed} closed."
        + (f" {len(report.missing.members)} members ended." if report.missing.members else "")
        + (f" Register: {register_changed} members." if register_changed else "")
    )


def _print_missing(missing: Missing) -> None:
    """Print the members that would end."""
    for member in missing.members:
        say(f"  {member.number} {member.name}")
    if missing.members:
        count = len(missing.members)
        confirm = f" It needs --confirm {count}." if missing.is_many else ""
        say(f"{count} of {missing.present} members with a credential are not in the list.{confirm}")
