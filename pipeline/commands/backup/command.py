"""`tallenne backup make-key`, `now` and `drill`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from domain.time import NS
from pipeline.backup.drill import Drilled, drill
from pipeline.commands.backup.qr import qr_lines
from pipeline.commands.common import add_place, place_of, settings_of
from pipeline.config.backups import backup_settings, backup_source
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import ask, progress, say
from runtime.private_files import private_directory
from storage.backup import RecoveryKey
from upkeep.backup.drills import write_drill
from upkeep.backup.keep import keep
from upkeep.backup.role import hand_lock, open_place
from upkeep.backup.settings import BackupPlaceSettings, BackupSettings
from upkeep.backup.state import BackupState, has_keys, read_keys, write_keys
from upkeep.backup.writer import SetWriter, by_hand, new_set

_FOR_EVER = 10**5
_NAMED_BY_NS = 2 * NS  # sets are named by the second: one that the role has begun since is not taken for an old one


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    make = actions.add_parser("make-key", help="make the recovery key and print it, once: keep it on paper")
    make.add_argument("--replace", action="store_true", help="although there is one; older backups need the older one")
    add_place(make)
    now = actions.add_parser("now", help="a whole backup by hand, beside the scheduled ones")
    now.add_argument("--to", type=Path, metavar="DIR", help="into this directory, not where the configuration says")
    now.add_argument("--json", action="store_true", help="for scripts")
    add_place(now)
    tried = actions.add_parser("drill", help="restore the newest backup into a scratch place and compare it; exit 1")
    tried.add_argument("--json", action="store_true", help="for scripts")
    add_place(tried)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.action == "make-key":
        return _make_key(arguments)
    return asyncio.run(_now(arguments) if arguments.action == "now" else _drill(arguments))


def _make_key(arguments: argparse.Namespace) -> int:
    _, installation = place_of(arguments)
    installation.require_restored()
    installation.prepare()
    directory = private_directory(installation.root / "backup")
    if has_keys(directory) and not arguments.replace:
        say("There is a recovery key. `--replace` makes another one; the backups of until now need the one of now.")
        return FAILED
    key = RecoveryKey.generate()
    say("The recovery key. It opens every backup from now on; this machine keeps no copy. Print it, or write it down,")
    say("and keep it in another house, with a copy of the keyring apart from both.\n")
    say("\n".join(qr_lines(key.text(), inverted=sys.stdout.isatty())))
    say(f"\n  {key.text()}\n")
    if sys.stdin.isatty():
        ask("Type its last four letters when it is on paper: ")
        if sys.stdin.readline().strip().upper() != key.text()[-4:]:
            say("That is not what it ends with: no key was made.")
            return FAILED
    write_keys(directory, key.writing())
    return OK


async def _now(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    directory = private_directory(settings.installation.root / "backup")
    if arguments.to is not None:
        place = BackupPlaceSettings(directory=_directory(arguments.to))
        own = BackupSettings(
            source=backup_source(settings), place=place, directory=directory, run_directory=settings.run_directory
        )
    else:
        own = backup_settings(settings)
    began_s, keys = time.monotonic(), read_keys(directory)
    state = new_set()
    with hand_lock(own):
        async with open_place(own.place) as shelf, by_hand(own.source) as conn:
            before_ns = time.time_ns() - _NAMED_BY_NS
            known = BackupState.load(directory)
            writing = [one.set_id for one in (known.current, known.coming) if one is not None]
            await keep(shelf, now_ns=before_ns, keep_d=_FOR_EVER, writing=writing, halves_before_ns=before_ns)
            writer = SetWriter(shelf, own.source, state, progress=_progress)
            await writer.begin(keys, conn)
    progress()
    seconds = time.monotonic() - began_s
    if arguments.json:
        done = {"set": state.set_id, "until_ns": state.last_ns, "unread": writer.unread, "seconds": round(seconds, 3)}
        say(json.dumps(done))
    else:
        say(f"Set {state.set_id} is whole, in {seconds:.0f} s.")
        for name in writer.unread:
            say(f"! {name} could not be read, and is not in it.")
        if own.source.database is None:
            say(OWN_DATABASE)
    return FAILED if writer.unread else OK


def _directory(named: Path) -> Path:
    """SetupError: it is none, and cannot be made."""
    try:
        named.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(
            f"{named} cannot be made a directory for backups ({exc.strerror}).", "Name another one with --to."
        ) from exc
    return named.absolute()


async def _drill(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    own = backup_settings(settings)
    keys = read_keys(own.directory)
    async with open_place(own.place) as place:
        found = await drill(settings, own, place, _parts)
    progress()
    path = write_drill(own.directory, found.report(), keys)
    if arguments.json:
        say(json.dumps({**found.report(), "file": str(path)}))
    else:
        say("\n".join([*drill_lines(found), f"The signed report: {path}"]))
    return OK if found.ok else FAILED


def drill_lines(found: Drilled) -> list[str]:
    """For people."""
    lines = [
        f"Set {found.set_id}, restored in {found.seconds:.0f} s: {found.rows} rows in {found.tables} tables,"
        f" {found.audit_entries} audit entries; {found.opened} of {found.samples} samples of footage open;"
        f" of {found.over_tried} that ended since the copy {found.over_opened} open."
    ]
    lines += [f"! The table {name} is not as in the database." for name in found.differing]
    lines += [f"! {found.audit_fault}"] if found.audit_fault else []
    lines += [f"! Footage {fault}" for fault in found.faults[:10]]
    lines.append("The backup is good." if found.ok else "The backup is NOT good.")
    return lines


def _parts(what: str, done: int, whole: int) -> None:
    progress(f"  {what}: {done} of {whole} parts")


OWN_DATABASE = (
    "The database is your own PostgreSQL and not in it: back it up yourself, with its log at most five minutes behind"
    " (pg_basebackup and archive_command, or your provider's). Leave out of that backup, and of every other: the"
    " custodian's keyring and its replicas ([custodian] directory, keyring_replicas). docs/BACKUP.md: how to restore."
)


def _progress(what: str, size_bytes: int) -> None:
    progress(f"  {what}: {size_bytes // (1 << 20)} MiB")
