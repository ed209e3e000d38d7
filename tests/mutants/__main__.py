"""`./test --mutants [--sample N] [--seed N] [MODULES...]`: how many of the faults do the unit tests find?

A survivor stands in survivors.txt with the reason why that is right, or a test is missing. Exit 1 when killed and
justified together are below the aim.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.modules import HELD, MODULES, ROOT, judges_of
from tests.mutants.run import Mutants, chosen

AIM: Final = 0.95
LIST: Final = Path(__file__).with_name("survivors.txt")


def main(words: list[str]) -> int:
    """Arguments as in the docstring above."""
    parser = argparse.ArgumentParser(prog="./test --mutants")
    parser.add_argument("modules", nargs="*", help="all that are listed; with --sample those that are held to the aim")
    parser.add_argument("--sample", type=int, help="so many, drawn by the seed; all otherwise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tests", nargs="*", help="these tests, as pytest names them; those of the modules otherwise")
    arguments = parser.parse_args(words)
    modules = arguments.modules or (MODULES if arguments.sample is None else HELD)
    mutants = chosen(modules, arguments.sample, arguments.seed)
    plugin = Mutants(mutants, workers=arguments.workers)
    tests = arguments.tests or sorted({path for mutant in mutants for path in judges_of(mutant.module)})
    pytest.main([f"--rootdir={ROOT}", "-qq", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[plugin])
    if plugin.broken:
        print("These fail without a fault:", *plugin.broken, sep="\n  ")
        return 1
    return told(plugin, listed_survivors(), seed=arguments.seed)


def listed_survivors() -> dict[str, str]:
    """The survivors that are known, each with its reason."""
    found = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, reason = line.partition("  # ")
            found[key] = reason
    return found


def told(plugin: Mutants, known: dict[str, str], *, seed: int) -> int:
    """Print what was found; the exit code."""
    outcome = plugin.outcome
    new = [mutant for mutant in [*outcome.survived, *outcome.unreached] if not known.get(mutant.key)]
    for mutant in outcome.survived:
        print(f"SURVIVED   {mutant}  {known.get(mutant.key, '')}".rstrip())
    for mutant in outcome.unreached:
        print(f"UNREACHED  {mutant}  {known.get(mutant.key, '')}".rstrip())
    left = Counter(mutant.module for mutant in new)
    for module, count in left.most_common():
        print(f"{count:4}  {module}")
    total = len(outcome.killed) + len(outcome.survived) + len(outcome.unreached)
    print(
        f"{total} mutants (seed {seed}) in {plugin.seconds:.0f} s: {len(outcome.killed)} killed, {outcome.share:.1%};"
        f" {total - len(outcome.killed) - len(new)} survivors are justified, {len(new)} are not."
    )
    justified = total - len(new)
    return 0 if total and justified / total >= AIM else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
