"""The `tallenne` command. Each subcommand is a module of pipeline/commands with ``add()`` and ``run()``."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from domain.errors import RetryableError, TallenneError
from pipeline.exit_codes import FAILED, MISUSE, RETRY
from pipeline.output import clean_handler, say
from pipeline.supervise.hold import hold

_COMMANDS = {
    "up": "start everything: services, roles, and without --config the demo gym",
    "status": "what runs, what lags, what is missing, which protection level holds",
    "clip": "find a clip and download it as MP4",
    "cases": "keep footage past its retention, or restrict it, for a reason; end that with a colleague",
    "erase": "order that footage is erased before its time; approve or refuse it as a second person",
    "import": "import a recorded file as sealed footage of the past",
    "verify": "read and authenticate every object of a span",
    "reconcile": "compare the catalogue's rows with the bucket's objects, and repair them",
    "catalogue": "rebuild the segment rows from the bucket alone",
    "members": "import members from a list",
    "events": "list door events and their tags; correct them",
    "alarms": "show raised alarms and their messages, or test every channel",
    "staff": "create staff accounts",
    "quarantine": "list and replay door messages that could not be decoded",
    "audit": "verify the record of every look",
    "backup": "make the recovery key, a backup by hand; list backups; try one",
    "restore": "on an empty machine: everything from a backup, the bucket and the keyring",
    "retention": "what is kept and until when; decide about what is held; certificates of what ended",
    "paper": "the privacy notice, the sign and the other papers, from the configuration; are the published ones true?",
    "certificates": "make certificates for a custodian on a machine of its own, and for those who ask it",
    "config": "check the configuration, or print an example",
    "bench": "measure what this machine can carry, against peers and its own floor",
    "ingest": "the role that records cameras",
    "index": "the role that links door events to footage",
    "custodian": "the role that keeps the keys",
    "serve": "the role that serves the staff pages and API",
    "keeper": "the role that removes what has expired",
    "live": "the role that shows live pictures",
    "backup-role": "the role that makes backups",
    "notify": "the role that raises alarms and sends them",
    "demo": "how to sign in to the demo gym, with a fresh one-time code",
    "demo-gym": "simulated cameras and doors",
}
_MODULES = {
    "import": "import_file",  # a module cannot be named by a keyword
    **{name: f"checks.{name}" for name in ("audit", "catalogue", "reconcile", "verify")},
    **{name: f"doors.{name}" for name in ("events", "members", "quarantine")},
    **{name: f"roles.{name}" for name in ("ingest", "index", "custodian", "serve", "keeper", "live", "notify")},
    "backup-role": "roles.backup",
    "backup": "backup.command",
    "restore": "backup.restore",
    "demo-gym": "roles.demo_gym",
    "alarms": "alarms.command",
    "retention": "retention.command",
    "certificates": "certificates.command",
    "paper": "paper.command",
}
_DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_EXAMPLES = """\
examples:
  tallenne up                                   the demo gym, data in ./data
  tallenne up --config tallenne.toml            your own cameras and doors
  tallenne config example > tallenne.toml       a file to begin with
  tallenne status --json                        for scripts
  tallenne clip --camera Entrance --start 06:30 --end 06:33 --reason "two people on one card" -o clip.mp4
  tallenne verify --start 2026-11-22T00:00Z --end 2026-11-23T00:00Z

exit codes: 0 done; 1 it failed, or the check found something; 2 something must be corrected first; 75 try again later
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, turn our errors into one clear line and an exit code.

    Without ``arguments`` the process is the command's own: what it makes is for its user alone.
    """
    if arguments is None:
        os.umask(0o077)
    _open_standard_files()
    logging.lastResort = clean_handler()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words[0] if words and words[0] in _COMMANDS else None)
    parsed = parser.parse_args(words)
    if parsed.command is None:
        parser.print_help()
        return MISUSE
    hold()
    try:
        return int(parsed.run(parsed))
    except TallenneError as error:
        say(f"tallenne: {error}", error=True)
        return RETRY if isinstance(error, RetryableError) else MISUSE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        if error.errno not in _DISK_REFUSES:
            raise
        what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        say(f"tallenne: The disk cannot be written to ({what}). Make room on it, or make it writable.", error=True)
        return RETRY


def _open_standard_files() -> None:
    """Reopen closed standard streams (``>&-``): otherwise the next file opened, say a lock, takes their place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _parser(wanted: str | None) -> argparse.ArgumentParser:
    """Build the parser.

    Only the chosen subcommand is imported, so that a role's process loads no more than it needs.
    """
    parser = argparse.ArgumentParser(
        prog="tallenne",
        description="Records cameras, seals the footage, links it to door events, finds the clip.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, text in _COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == wanted:
            module = importlib.import_module(f"pipeline.commands.{_MODULES.get(name, name)}")
            module.add(sub)
            sub.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
