"""Did this change make it worse? Two revisions, run in turn on this machine, pair by pair.

Each pair runs a probe (benchmarks/probes/) once under either revision, in random order. A probe prints its cost: CPU
seconds of one fixed piece of work. The effect is the median ratio of the pairs, with a bootstrap interval; it is
called only when the whole interval lies beyond what the machine does by itself (``MARGIN``).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frame import machine
from benchmarks.frame.statistics import Effect, paired_effect
from domain.errors import MisuseError

MARGIN = 0.03
"""A change within this is never called, however sure the interval: it is below what pinning and caches do."""

_ROOT = Path(__file__).resolve().parents[1]
CONFIDENCE = 0.99

PROBES = ("sealing", "opening", "fragments", "tagging")
MORE_PROBES = ("packets",)
"""Only where they are asked for: most revisions do not have them."""


class CompareError(MisuseError):
    """A revision that git does not know, or a probe that a revision does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a comparison of one probe says."""

    probe: str
    effect: Effect
    called: str  # "slower", "faster", "no change seen"


def compare(
    revisions: tuple[str, str], probes: Sequence[str], *, pairs: int, seed: int, slowdown: str = ""
) -> list[Verdict]:
    """Run every probe ``pairs`` times under both revisions.

    slowdown: a positive control. "sealing=0.3" makes B's probe do 30 % more of its own work, so that it can be seen
    whether the comparison would have called it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tallenne-compare-") as scratch,
        _checkout(_ROOT, revisions[0], Path(scratch) / "a") as a,
        _checkout(_ROOT, revisions[1], Path(scratch) / "b") as b,
    ):
        return [_compare_probe((a, b), probe, pairs=pairs, seed=seed, slowdown=slowdown) for probe in probes]


def verdict(probe: str, costs: tuple[Sequence[float], Sequence[float]], *, seed: int) -> Verdict:
    """What the paired costs say."""
    effect = paired_effect(*costs, confidence=CONFIDENCE, seed=seed)
    called = "no change seen"
    if effect.low > 1 + MARGIN:
        called = "slower"
    elif effect.high < 1 - MARGIN:
        called = "faster"
    return Verdict(probe=probe, effect=effect, called=called)


def _compare_probe(trees: tuple[Path, Path], probe: str, *, pairs: int, seed: int, slowdown: str) -> Verdict:
    order = random.Random(seed)
    costs: tuple[list[float], list[float]] = ([], [])
    name, _, extra = slowdown.partition("=")
    for number in range(pairs + 1):
        sides = [0, 1]
        order.shuffle(sides)
        for side in sides:
            planted = float(extra) if side == 1 and name == probe else 0.0
            cost = _run_probe(trees[side], probe, planted)
            if number:  # the first pair warms the caches
                costs[side].append(cost)
    return verdict(probe, costs, seed=seed)


def _run_probe(tree: Path, probe: str, planted: float) -> float:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", f"benchmarks.probes.{probe}", "--planted", str(planted)]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise CompareError(f"Probe {probe!r} failed: {last[0]}", "Does that revision have benchmarks/probes?")
    return float(json.loads(done.stdout)["cpu_s"])


def commit_of(revision: str) -> str:
    """The whole hash; of "." what machine.revision() says. CompareError when git does not know it."""
    if revision == ".":
        return machine.revision()
    git = ["git", "-C", str(_ROOT), "rev-parse", "--verify", "-q", f"{revision}^{{commit}}"]
    known = subprocess.run(git, capture_output=True, text=True)
    if known.returncode:
        raise CompareError(f"git does not know the revision {revision!r}.", "Name a commit, a tag or a branch, or '.'.")
    return known.stdout.strip()


@contextmanager
def _checkout(root: Path, revision: str, where: Path) -> Iterator[Path]:
    """A work tree of ``revision``; "." is the tree as it stands, changes included."""
    if revision == ".":
        yield root
        return
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "worktree", "prune"], check=True, capture_output=True)  # what a killed comparison left
    subprocess.run(
        [*git, "worktree", "add", "--detach", str(where), commit_of(revision)], check=True, capture_output=True
    )
    try:
        yield where
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(where)], check=True, capture_output=True)
