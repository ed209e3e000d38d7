"""The role `custodian` as a process."""

from __future__ import annotations

import argparse

from custodian import role
from pipeline.commands.common import add_place, settings_of
from pipeline.config.policies import policy_of
from pipeline.role_command import run_role


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    settings = settings_of(arguments, restoring=True)
    return run_role(role.run, settings.custodian(), policy_of("custodian", settings))
