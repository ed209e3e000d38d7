"""`tallenne members import FILE`: members and their credentials from a list."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from indexer.members.importing import ImportReport, import_members
from pipeline.commands.common import add_place, settings_of
from pipeline.exit_codes import FAILED, OK
from runtime.database import open_pool

_EXAMPLES = """examples:
  tallenne members import members.csv --dry-run
  tallenne members import members.csv

members.csv, in UTF-8; only the number and the name must be there:
  number,name,credential,valid_from,valid_to,minor
  1041,Aino Aalto,04:A1:B2:C3,2026-01-01,2026-12-31,no
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = _EXAMPLES, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    bring = actions.add_parser("import", help="add and change members as a CSV says; all of it or nothing")
    bring.add_argument("file", type=Path, help="number,name,credential,valid_from,valid_to,minor")
    bring.add_argument("--dry-run", action="store_true", help="say what would be done")
    bring.add_argument("--json", action="store_true", help="for scripts")
    add_place(bring)


def run(arguments: argparse.Namespace) -> int:
    report = asyncio.run(_import(arguments))
    if arguments.json:
        print(json.dumps(asdict(report)))
    else:
        _print(report)
    return FAILED if report.errors else OK


async def _import(arguments: argparse.Namespace) -> ImportReport:
    settings = settings_of(arguments)
    async with open_pool(settings.database("index"), application_name="members") as pool:
        return await import_members(pool, arguments.file, arguments.dry_run)


def _print(report: ImportReport) -> None:
    for error in report.errors:
        print(error)
    if report.errors:
        print(f"{len(report.errors)} errors: nothing was imported.")
        return
    done = "Imported" if report.applied else "Would import"
    print(
        f"{done} {report.lines} lines: {report.members_new} members new, {report.members_changed} changed;"
        f" credentials: {report.credentials_new} new, {report.credentials_changed} changed,"
        f" {report.credentials_closed} closed."
    )
