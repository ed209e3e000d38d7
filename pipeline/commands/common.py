"""Arguments shared by many subcommands: the data directory and the configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.config.load import Loaded, load
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.installation import Installation

DEFAULT_DATA = Path("data")


def add_place(parser: argparse.ArgumentParser) -> None:
    """--config and --data."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration; without it the demo's")
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"the data directory (default: ./{DEFAULT_DATA})")


def place_of(arguments: argparse.Namespace) -> tuple[Loaded, Installation]:
    """The configuration and the data directory that the arguments name. SetupError, ConfigError."""
    if arguments.config is None:
        installation = Installation((arguments.data or DEFAULT_DATA).absolute())
        demo = installation.root / "demo" / "tallenne.toml"
        if not demo.exists():
            raise SetupError(
                f"There is no demo in {installation.root}.", "Name your configuration with --config, or the --data."
            )
        return load(demo), installation
    loaded = load(arguments.config)
    if arguments.data is None and loaded.config.data is None:
        root = DEFAULT_DATA
    else:
        root = arguments.data or loaded.resolve(loaded.config.data or DEFAULT_DATA)
    return loaded, Installation(root.absolute())


def settings_of(arguments: argparse.Namespace, *, restoring: bool = False) -> RoleSettings:
    """Return the settings for a role or a command beside a running installation. SetupError, ConfigError.

    restoring: also while a restoration is not finished, when only the custodian may
    """
    loaded, installation = place_of(arguments)
    config = loaded.config
    own = config.database is not None and config.broker is not None and config.store is not None
    if not restoring:
        installation.require_restored()
    installation.prepare()
    endpoints = {} if own else installation.read_endpoints()
    return RoleSettings(loaded=loaded, installation=installation, endpoints=endpoints)
