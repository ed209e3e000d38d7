"""Which judge shows the right picture, by hand.

    python -m tests.judges make FOLDER [FILM ...]           clips made as the product makes them, and their tables
    python -m tests.judges CLIP.mp4 TABLE.json [options]    a line for each judge

TABLE.json: {"pictures": [[number, start_s, end_s, whether a key frame], ...], "delay_s": that of B-frames}.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.judges.clips import FILMS, write
from tests.judges.panel import JUDGES, judged
from tests.judges.rule import Table


def main() -> int:
    if sys.argv[1:2] == ["make"]:
        folder = Path(sys.argv[2])
        for name in sys.argv[3:] or FILMS:
            write(FILMS[name], folder / f"{name}.mp4").save(folder / f"{name}.json")
            print(folder / f"{name}.mp4")
        return 0
    asked = _arguments()
    table, wrong = Table.load(asked.table), 0
    times = asked.at or table.times(asked.count, asked.seed)
    for name in asked.judges or JUDGES:
        judge = JUDGES[name]
        if lacking := judge.missing():
            print(f"{name}: left out: {lacking}")
            continue
        verdict = judged(judge, asked.clip, table, times)
        print(verdict, flush=True)
        wrong += len(verdict.wrong)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.judges", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--judges", nargs="+", choices=list(JUDGES), metavar="NAME", help=", ".join(JUDGES))
    parser.add_argument("--count", type=int, default=20, help="how many random times")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", type=float, nargs="+", metavar="SECONDS", help="these times instead of random ones")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
