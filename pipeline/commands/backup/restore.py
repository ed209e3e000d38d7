"""`tallenne restore`: on an empty machine, everything from a backup, the bucket and a copy of the keyring."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from domain.time import to_iso
from pipeline.backup.restore import Restoration, RestoreOptions, restore
from pipeline.commands.backup.place import add_key, add_source, named_place, recovery_key
from pipeline.commands.checks.journal import journal_shown, lost_shown, tell_journal, tell_lost
from pipeline.commands.common import DEFAULT_DATA
from pipeline.commands.times import local
from pipeline.exit_codes import OK
from pipeline.output import progress, say
from pipeline.supervise.tell import Tell
from upkeep.backup.reader import list_sets
from upkeep.backup.role import open_place

_CONFIGURATION = "configuration"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_source(parser, required=True)
    add_key(parser)
    parser.add_argument("--list", action="store_true", help="only list the sets of the place")
    parser.add_argument("--set", default="", metavar="SET", help="by default the newest whole one")
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="an empty directory (default: %(default)s)"
    )
    parser.add_argument(
        "--config-to", type=Path, metavar="DIR", help=f"where the configuration goes (default: DATA/{_CONFIGURATION})"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="take this configuration, not the backup's")
    parser.add_argument("--keyring", type=Path, metavar="FILE", help="a copy of the keyring, which is in no backup")
    parser.add_argument(
        "--without-footage", action="store_true", help="go on although the bucket holds none of the footage"
    )
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_list(arguments) if arguments.list else _restore(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    settings = named_place(arguments)
    assert settings is not None
    async with open_place(settings) as place:
        sets = await list_sets(place)
    shown = [{"set": one.set_id, "whole": not one.half, "log_parts": one.logs, "missing": one.beyond} for one in sets]
    if arguments.json:
        say(json.dumps(shown))
        return OK
    for one in sets:
        said = "half-written" if one.half else f"{one.logs} parts of the log"
        say(f"{one.set_id}  {local(one.created_ns)}  {said}{', with a hole behind them' if one.beyond else ''}")
    say(f"{sum(not one.half for one in sets)} whole sets.")
    return OK


async def _restore(arguments: argparse.Namespace) -> int:
    settings = named_place(arguments)
    assert settings is not None
    data: Path = arguments.data.absolute()
    options = RestoreOptions(
        data=data,
        config_to=(arguments.config_to or data / _CONFIGURATION).absolute(),
        config=arguments.config,
        keyring=arguments.keyring,
        set_id=arguments.set,
        without_footage=arguments.without_footage,
    )
    key = recovery_key(arguments)
    with Tell(quiet=arguments.json) as tell:
        async with open_place(settings) as place:
            done = await restore(place, key, options, tell, _progress)
    progress()
    if arguments.json:
        say(json.dumps(_shown(done)))
    else:
        _tell(done, data)
    return OK


def _progress(what: str, done: int, whole: int) -> None:
    progress(f"  {what}: {done} of {whole} parts")


def _shown(done: Restoration) -> dict[str, Any]:
    return {
        "set": done.set_id,
        "until": to_iso(done.at_ns),
        "config": str(done.config),
        "rows": done.rebuilt.rows,
        "known": done.rebuilt.known,
        "expired": done.rebuilt.expired,
        "quarantined": done.rebuilt.quarantined_count,
        "journal": journal_shown(done.rebuilt.journal),
        "lost": lost_shown(done.rebuilt.lost),
        "seconds": round(done.seconds, 3),
    }


def _tell(done: Restoration, data: Path) -> None:
    rebuilt = done.rebuilt
    say(f"Set {done.set_id} is restored, with everything until {local(done.at_ns)}, in {done.seconds:.0f} s.")
    say(f"{rebuilt.known} objects had their row, {rebuilt.rows} have one now, {rebuilt.expired} have expired since.")
    tell_journal(rebuilt.journal)
    tell_lost(rebuilt.lost, repaired=True)
    say("Door events, members, staff and audit entries of later are missing: enter them again from the door system.")
    say("Nothing expires until a person has looked: `tallenne retention status`, then `tallenne retention confirm`.")
    say(f"Start it: tallenne up --config {done.config} --data {data}")
