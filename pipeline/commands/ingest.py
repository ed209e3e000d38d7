"""The role `ingest` as a process."""

from __future__ import annotations

import argparse

from domain.arguments import whole
from ingest import role
from pipeline.commands.common import add_place, settings_of
from pipeline.role_command import run_role


def add(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--worker", type=whole(0), default=0, metavar="N", help="which of [ingest] workers, from 0")


def run(arguments: argparse.Namespace) -> int:
    return run_role(
        role.run,
        settings_of(arguments).ingest(arguments.worker),
        reload=lambda: settings_of(arguments).ingest(arguments.worker),
    )
