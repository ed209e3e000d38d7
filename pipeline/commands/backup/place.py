"""Arguments that name a place of backups, and the recovery key as a person gives it."""

from __future__ import annotations

import argparse
import getpass
import sys
import tomllib
from pathlib import Path

from pydantic import ValidationError

from pipeline.config.check import configured_store
from pipeline.config.model import Store
from pipeline.errors import SetupError
from pipeline.secret_files import read_secret
from storage.backup import RecoveryKey
from upkeep.backup.settings import BackupPlaceSettings


def add_source(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """--from and --from-store."""
    where = parser.add_mutually_exclusive_group(required=required)
    where.add_argument("--from", dest="place", type=Path, metavar="DIR", help="a directory of backups")
    where.add_argument(
        "--from-store",
        dest="store_file",
        type=Path,
        metavar="FILE",
        help="a bucket: a TOML file with the lines of [backup.store]",
    )


def named_place(arguments: argparse.Namespace) -> BackupPlaceSettings | None:
    """What the arguments name. SetupError."""
    if arguments.place is not None:
        if not arguments.place.is_dir():
            raise SetupError(f"There is no directory {arguments.place}.", "Mount the disk, or correct the path.")
        return BackupPlaceSettings(directory=arguments.place.absolute())
    if arguments.store_file is None:
        return None
    path: Path = arguments.store_file
    try:
        own = Store.model_validate(tomllib.loads(path.read_text()))
    except OSError as exc:
        raise SetupError(f"{path} cannot be read: {exc.strerror}.", "Name a file with the bucket's settings.") from exc
    except (tomllib.TOMLDecodeError, ValidationError) as exc:
        raise SetupError(
            f"{path} does not describe a bucket.", "It holds endpoint, bucket, access_key and secret_key, as [store]."
        ) from exc
    return BackupPlaceSettings(store=configured_store(own, lambda named: path.absolute().parent / named))


def add_key(parser: argparse.ArgumentParser) -> None:
    """--key-file."""
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="the recovery key in a file of mode 0600; - reads it from the standard input; left out: it is asked for",
    )


def recovery_key(arguments: argparse.Namespace) -> RecoveryKey:
    """RecoveryKeyError, SetupError."""
    if arguments.key_file is None:
        text = getpass.getpass("Recovery key: ") if sys.stdin.isatty() else sys.stdin.readline()
    elif str(arguments.key_file) == "-":
        text = sys.stdin.readline()
    else:
        text = read_secret(arguments.key_file)
    return RecoveryKey.parse(text)
