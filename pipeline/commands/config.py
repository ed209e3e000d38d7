"""`tallenne config check` and `tallenne config example`."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

from pipeline.config.load import ConfigError, load
from pipeline.config.warnings import warnings
from pipeline.exit_codes import MISUSE, OK
from pipeline.output import say


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=("check", "example"), help="check a file, or print one with every option")
    parser.add_argument("--config", type=Path, default=Path("tallenne.toml"), metavar="FILE", help="what to check")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.action == "example":
        say(files("pipeline.config").joinpath("example.toml").read_text(encoding="utf-8").rstrip())
        return OK
    try:
        loaded = load(arguments.config)
    except ConfigError as error:
        if not arguments.json:
            raise
        say(json.dumps({"ok": False, "mistakes": error.mistakes}))
        return MISUSE
    sites = loaded.config.site
    cameras, doors = sum(len(site.camera) for site in sites), sum(len(site.door) for site in sites)
    found = warnings(loaded.config)
    if arguments.json:
        facts = {"sites": len(sites), "cameras": cameras, "doors": doors}
        say(json.dumps({"ok": True, "mistakes": [], "warnings": found, **facts}))
    else:
        say(f"{arguments.config} is correct: {len(sites)} sites, {cameras} cameras, {doors} doors.")
        for warning in found:
            say(f"Warning: {warning}")
    return OK
