"""The command: which benchmark to run, how large, and how to print its result."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import compare_command, run_all
from benchmarks.frame.repeat import combined
from benchmarks.frame.result import as_json
from benchmarks.peers.recorders import PEERS
from benchmarks.report.headline import table
from benchmarks.suites import clip, index, ingest, masking, storage
from domain.arguments import number, whole
from domain.errors import MisuseError, TallenneError

FAILED, MISUSE = 1, 2
_EXAMPLES = """\
examples:
  tallenne bench ingest --cameras 50 --seconds 20 --peer ffmpeg --peer gstreamer --json
  tallenne bench storage --rows 1000000 --rows 10000000
  tallenne bench all --quick --out results
  tallenne bench compare HEAD~1 HEAD
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the suite, print the result."""
    # Peers and services that come as wheels lie beside the interpreter.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        _check_places(given)
        status: int = given.run(given)
        return status
    except TallenneError as error:
        print(f"tallenne bench: {error}", file=sys.stderr)
        return MISUSE if isinstance(error, MisuseError) else FAILED
    except KeyboardInterrupt:
        return 130


def _interrupted(*_: object) -> None:
    """Everything is put away, as by Ctrl-C."""
    raise KeyboardInterrupt


def _check_places(given: argparse.Namespace) -> None:
    """Before minutes of measuring: where results and scratch files go can be written to."""
    scratch = getattr(given, "scratch", None)
    if scratch is not None and not os.access(scratch, os.W_OK | os.X_OK):
        raise MisuseError(f"--scratch {scratch} is no directory that can be written to.", "Name another one.")
    out = getattr(given, "out", None)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=out):
                pass
        except OSError as exc:
            raise MisuseError(f"--out {out} cannot be written to ({exc.strerror}).", "Name another one.") from exc


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tallenne bench",
        description="What this machine carries, beside what one would pick instead and beside the machine's floor.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="benchmark", required=True)
    _ingest(commands.add_parser("ingest", help="cost of recording: CPU, memory, frames lost"))
    _storage(commands.add_parser("storage", help="sealing, opening, PUT, GET, recovery, queries"))
    _index(commands.add_parser("index", help="door events a second, and how soon they are tags"))
    _clip(commands.add_parser("clip", help="first byte and whole clip through the staff API"))
    _masking(commands.add_parser("masking", help="share of persons masked, false masks, cost"))
    run_all.add(commands.add_parser("all", help="all of them, with a report"))
    compare_command.add(commands.add_parser("compare", help="two revisions, interleaved"))
    return parser


def _suite(
    parser: argparse.ArgumentParser, suite: Callable[[Any, Path], dict[str, Any]], make: Callable[[Any], Any]
) -> None:
    """Arguments that all suites share: scratch directory, repeats, output."""
    parser.add_argument("--json", action="store_true", help="the whole result as one line of JSON")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="on the disk to be measured (default: temporary)")
    parser.add_argument("--repeat", type=whole(1, 100), default=1, metavar="N", help="runs; medians are printed")
    parser.add_argument("--seed", type=whole(0), metavar="N", help="of the load (default: always the same)")

    def run(given: argparse.Namespace) -> int:
        """Run the suite ``--repeat`` times and print the medians; return the exit status."""
        parameters = make(given)
        if given.seed is not None:
            parameters = replace(parameters, seed=given.seed)
        results = []
        for turn in range(1, given.repeat + 1):
            if given.repeat > 1:
                print(f"run {turn} of {given.repeat} ...", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="tallenne-bench-", dir=given.scratch) as scratch:
                results.append(suite(parameters, Path(scratch)))
        result = combined(results)
        print(as_json(result) if given.json else table(result))
        return 0

    parser.set_defaults(run=run)


def _ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cameras", type=whole(1, 2000), default=50, metavar="N")
    parser.add_argument("--seconds", type=number(0.5), default=20.0, metavar="S", help="of each measurement")
    parser.add_argument("--peer", action="append", choices=PEERS, default=[], help="beside ours; may be repeated")
    parser.add_argument("--scaling", action="store_true", help="also over 10, 50, 100 and 200 cameras")
    parser.add_argument("--store", action="store_true", help="also to the embedded store, up to 50 cameras")
    parser.add_argument("--bitrate", type=whole(10_000), default=4_000_000, metavar="BITS")
    parser.add_argument("--size", type=_size, default=(1920, 1080), metavar="WxH")

    def make(given: argparse.Namespace) -> ingest.Parameters:
        """Turn the arguments into the suite's parameters."""
        return ingest.Parameters(
            cameras=given.cameras,
            seconds=given.seconds,
            peers=tuple(dict.fromkeys(given.peer)),
            scaling=(10, 50, 100, 200) if given.scaling else (),
            bit_rate=given.bitrate,
            size=given.size,
            embedded_store=given.store,
        )

    _suite(parser, ingest.run, make)


def _storage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=whole(1), action="append", metavar="N", help="of segments; may be repeated")
    parser.add_argument("--files", type=whole(1), default=10_000, metavar="N", help="spool files to recover")
    parser.add_argument("--objects", type=whole(1), default=40, metavar="N", help="to PUT and GET, 5 MB each")
    parser.add_argument("--rounds", type=whole(1), default=40, metavar="N", help="of sealing and opening")

    def make(given: argparse.Namespace) -> storage.Parameters:
        rows = tuple(given.rows or (1_000_000,))
        return storage.Parameters(rows=rows, files=given.files, objects=given.objects, rounds=given.rounds)

    _suite(parser, storage.run, make)


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=whole(1), default=50_000, metavar="N")
    parser.add_argument("--rows", type=whole(0), action="append", metavar="N", help="segments already; may be repeated")
    parser.add_argument("--rate", type=whole(1), default=1000, metavar="N", help="events a second, for the latency")
    parser.add_argument("--seconds", type=number(0.5), default=15.0, metavar="S", help="of the latency's measurement")

    def make(given: argparse.Namespace) -> index.Parameters:
        rows = tuple(given.rows or (1_000_000,))
        return index.Parameters(events=given.events, rows=rows, rate=given.rate, seconds=given.seconds)

    _suite(parser, index.run, make)


def _clip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--staff", type=whole(1, 200), action="append", metavar="N", help="at once; may be repeated")
    parser.add_argument("--rounds", type=whole(1), default=20, metavar="N", help="clips for each of up to five of them")

    def make(given: argparse.Namespace) -> clip.Parameters:
        return clip.Parameters(staff=tuple(given.staff or (1, 5, 50)), rounds=given.rounds)

    _suite(parser, clip.run, make)


def _masking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=number(0.5), default=60.0, metavar="S", help="of the clip whose cost counts")
    parser.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH", help="of that clip")
    parser.add_argument("--persons", type=Path, metavar="FILE", help="vtest.avi of Debian's opencv-doc, if elsewhere")
    parser.add_argument("--faces", type=Path, metavar="FILE", help="an MP4 that shows a face in every picture")
    parser.add_argument("--threads", type=whole(1, 64), default=1, metavar="N", help="of the detectors")

    def make(given: argparse.Namespace) -> masking.Parameters:
        """Turn the arguments into the suite's parameters."""
        return masking.Parameters(
            speed_s=given.seconds,
            speed_size=given.size,
            persons_film=given.persons,
            faces_film=given.faces,
            threads=given.threads,
        )

    _suite(parser, masking.run, make)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    side = whole(16, 8192)
    return side(width), side(height)
