"""The simulated gym as a process: cameras and doors."""

from __future__ import annotations

import argparse

from demo import role
from pipeline.commands.common import add_place, settings_of
from pipeline.demo.gym import demo_settings, kept_gym
from pipeline.errors import SetupError
from pipeline.role_command import run_role


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    settings = settings_of(arguments)
    gym = kept_gym(settings.installation)
    if gym is None:
        raise SetupError(f"There is no demo in {settings.installation.root}.", "Start it with `tallenne up`.")
    return run_role(role.run, demo_settings(gym, settings.installation, settings.endpoints))
