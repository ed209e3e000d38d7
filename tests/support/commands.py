"""Subcommands called in this process: parsed as the command line does, run with what a test puts in place."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.config.load import load
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from tests.support.configuration import GOOD, written


def parsed(command: Any, *words: str) -> argparse.Namespace:
    """SystemExit, as the command line, for arguments that do not parse."""
    parser = argparse.ArgumentParser()
    command.add(parser)
    return parser.parse_args(words)


def settings_in(folder: Path, text: str = GOOD) -> RoleSettings:
    """The settings of a configuration without a running installation."""
    loaded = load(written(folder, text))
    return RoleSettings(loaded=loaded, installation=Installation(folder / "data"), endpoints={})
