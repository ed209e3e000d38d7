"""The role `ingest` as a process."""

from __future__ import annotations

import argparse

from domain.arguments import whole
from ingest import role
from pipeline.commands.common import add_place, settings_of
from pipeline.config.policies import policy_of
from pipeline.errors import SetupError
from pipeline.role_command import run_role


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)
    parser.add_argument("--worker", type=whole(0), default=0, metavar="N", help="which of [ingest] workers, from 0")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    settings = settings_of(arguments)
    workers = settings.loaded.config.ingest.workers
    if (
        arguments.worker >= workers and not settings.spool_of(arguments.worker).exists()
    ):  # one that is there is handed in to its end
        raise SetupError(
            f"There is no worker {arguments.worker}: [ingest] workers is {workers}.",
            f"Name one of 0 to {workers - 1}." if workers > 1 else "Leave --worker out.",
        )
    return run_role(
        role.run,
        settings.ingest(arguments.worker),
        policy_of("ingest", settings, worker=arguments.worker),
        reload=lambda: settings_of(arguments).ingest(arguments.worker),
    )
