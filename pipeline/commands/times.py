"""Parses and prints times for the command line."""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.time import LATEST_NS, NS, Span, from_iso
from pipeline.errors import SetupError

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def typed_time(text: str) -> int:
    """ns of RFC 3339, of a local "2026-11-22 06:31", or of "06:31": the last time the clock here showed it."""
    found = _typed(text)
    if not 0 <= found < LATEST_NS:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1970 and 2200")
    return found


def _typed(text: str) -> int:
    if match := _CLOCK.fullmatch(text):
        now_ns = time.time_ns()
        today = datetime.fromtimestamp(now_ns // NS).replace(microsecond=0)  # noqa: DTZ006 (the wall clock here)
        try:
            then = today.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3] or 0))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a time of day") from None
        # By the wall clock of that day; of a repeated hour, the later one that has passed.
        walls = ((then - timedelta(days=back)).replace(fold=fold) for back in (0, 1) for fold in (1, 0))
        return next(time_ns for wall in walls if (time_ns := round(wall.timestamp()) * NS) <= now_ns)
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        pass
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * NS)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write 06:31, 2026-11-22 06:31 or 2026-11-22T06:31:00+02:00"
        ) from None


def add_span(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add --start and --end."""
    parser.add_argument("--start", type=typed_time, required=required, metavar="TIME", help="06:31, or with a date")
    parser.add_argument("--end", type=typed_time, required=required, metavar="TIME", help="the same; exclusive")


def span_of(arguments: argparse.Namespace) -> Span:
    """Return the span. SetupError: the end is not after the start."""
    if arguments.end <= arguments.start:
        raise SetupError("--end is not after --start.", "Write the earlier time as --start.")
    return Span(arguments.start, arguments.end)


def local(time_ns: int) -> str:
    """Return a time by the local clock, to be printed."""
    return datetime.fromtimestamp(time_ns / NS, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def at_site(time_ns: int, time_zone: str) -> str:
    """Return a time by the site's clock, with its zone's short name ("EET", or "+03" without one)."""
    return datetime.fromtimestamp(time_ns / NS, tz=ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
