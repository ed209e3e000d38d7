"""The role `notify` as a process."""

from __future__ import annotations

import argparse

from alarms import role
from pipeline.commands.common import add_place, settings_of
from pipeline.role_command import run_role


def add(parser: argparse.ArgumentParser) -> None:
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_role(role.run, settings_of(arguments).alarms())
