"""`tallenne certificates`: for a custodian on a machine of its own, and for those who ask it."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from pipeline.commands.certificates.authority import Authority
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import say

_DAYS = 825
_DAYS_MAX = 3650


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    ends = parser.add_subparsers(dest="end", required=True, metavar="end")
    for end, name, what in (
        ("custodian", "HOST", "the name or address by which others reach the custodian"),
        ("caller", "NAME", "a name of its own for each role and machine, as recorder-1"),
    ):
        one = ends.add_parser(end, help=f"a certificate for {what}")
        one.add_argument("folder", type=Path, metavar="FOLDER", help="the authority's; made at the first time")
        one.add_argument("name", metavar=name, help=what)
        one.add_argument("--days", type=int, default=_DAYS, help=f"how long it lasts (default: {_DAYS})")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code. SetupError."""
    if not 1 <= arguments.days <= _DAYS_MAX:
        raise SetupError(f"A certificate cannot last {arguments.days} days.", f"Say 1 to {_DAYS_MAX}.")
    authority = Authority.in_folder(arguments.folder)
    lasts = datetime.timedelta(days=arguments.days)
    place = authority.issue(arguments.name, custodian=arguments.end == "custodian", lasts=lasts)
    say(
        f"{place}: copy what is in it to that machine, then remove it here. Keep {arguments.folder} where no role runs."
    )
    return OK
