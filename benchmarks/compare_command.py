"""``tallenne bench compare REV_A REV_B``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict

from benchmarks.compare import CONFIDENCE, MARGIN, MORE_PROBES, PROBES, Verdict, commit_of, compare
from benchmarks.frame import machine
from benchmarks.frame.cores import pinned
from benchmarks.frame.result import rounded
from domain.arguments import number, whole

_CHANGED = 1


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.description = (
        "Did B make it worse than A? Probes of fixed work, run in turn under both revisions; "
        f"called at {CONFIDENCE:.0%} confidence beyond {MARGIN:.0%}. Exit code 1: something is slower."
    )
    parser.add_argument("a", metavar="REV_A", help="a commit, a tag, a branch, or . for the tree as it stands")
    parser.add_argument("b", metavar="REV_B")
    parser.add_argument(
        "--probe", action="append", choices=PROBES + MORE_PROBES, help=f"may be repeated (default: {', '.join(PROBES)})"
    )
    parser.add_argument("--pairs", type=whole(5), default=15, metavar="N", help="runs of either revision (default 15)")
    parser.add_argument(
        "--trials", type=whole(1), default=1, metavar="N", help="so many comparisons: how often called?"
    )
    parser.add_argument("--planted", type=_planted, metavar="PROBE=F", help="B does F more of it: is it called?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def _planted(text: str) -> str:
    """``sealing=0.3``"""
    name, _, more = text.partition("=")
    known = PROBES + MORE_PROBES
    if name not in known:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    number(0.0)(more)
    return text


def run(given: argparse.Namespace) -> int:
    """Compare two revisions and print the verdicts."""
    probes = tuple(given.probe or PROBES)
    trials: list[list[Verdict]] = []
    with pinned() as cores, cores.measuring():
        for trial in range(given.trials):
            seed = given.seed + trial
            found = compare((given.a, given.b), probes, pairs=given.pairs, seed=seed, slowdown=given.planted or "")
            trials.append(found)
            if not given.json:
                print("\n".join(map(_line, found)), flush=True)
    verdicts = [verdict for trial in trials for verdict in trial]
    called = Counter(verdict.called for verdict in verdicts)
    if given.json:
        listed = [asdict(verdict) for verdict in verdicts]
        how = {"pairs": given.pairs, "trials": given.trials, "seed": given.seed, "planted": given.planted}
        revisions = {"a": given.a, "b": given.b, "a_commit": commit_of(given.a), "b_commit": commit_of(given.b)}
        about = {**revisions, "parameters": how, "machine": machine.describe(), "called": dict(called)}
        print(json.dumps(rounded({**about, "verdicts": listed})))
    elif given.trials > 1:
        print(f"of {len(verdicts)} comparisons: " + ", ".join(f"{count} {word}" for word, count in called.items()))
    return _CHANGED if called["slower"] else 0


def _line(verdict: Verdict) -> str:
    effect = verdict.effect
    return (
        f"{verdict.probe:12} {effect.ratio:6.3f}  [{effect.low:.3f}, {effect.high:.3f}] at {CONFIDENCE:.0%}, "
        f"{effect.pairs} pairs: {verdict.called}"
    )
