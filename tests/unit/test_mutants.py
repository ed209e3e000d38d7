"""The faults are where they are said to be, tests that find one kill it, and tests that do not are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.mutants.__main__ import AIM, listed_survivors, told
from tests.mutants.changes import function_code, mutants_of, mutated
from tests.mutants.modules import MODULES, ROOT, judges_of
from tests.mutants.run import Mutants, chosen

SOURCE = """
class Gate:
    def opens(self, age: int, *words: str) -> bool:
        '''Not a place.'''
        _log.info("nor this: %d", 1 + 1)
        if age < 18 and "guest" not in words:
            raise ValueError("nor these words: " + str(1 - 1))
        return True
"""


def test_each_fault_changes_one_place_of_a_function() -> None:
    found = mutants_of("gate.py", SOURCE)
    assert [mutant.what for mutant in found] == [
        "not `age < 18 and 'guest' not in words`",
        "Or in `age < 18 and 'guest' not in words`",
        "without `age < 18` in `age < 18 and 'guest' not in words`",
        "without `'guest' not in words` in `age < 18 and 'guest' not in words`",
        "LtE in `age < 18`",
        "19 for 18",
        "In in `'guest' not in words`",
        "without `raise ValueError('nor these words: ' + str(1 - 1))`",
        "return None for `return True`",
        "False for True",
    ]
    assert {mutant.function for mutant in found} == {"Gate.opens"}

    def opens(number: int, age: int) -> bool | None:
        code = mutated(SOURCE, found[number], "gate.py")
        made = function_code(code, "Gate.opens", found[number].line)
        assert made is not None

        class _Log:
            def info(self, *_: object) -> None:
                pass

        def gate(self: object, age: int, *words: str) -> bool:
            raise NotImplementedError

        gate.__code__ = made
        gate.__globals__["_log"] = _Log()
        try:
            return gate(None, age)
        except ValueError:
            return None

    assert [opens(number, 18) for number in (4, 5, 9)] == [None, None, False]
    assert opens(7, 5) is True


def mutants(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutants", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_tests_that_find_faults_kill_them_and_tests_that_do_not_are_told() -> None:
    good = mutants("api/http/ranges.py", "--sample", "12")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "12 mutants (seed 0)" in good.stdout and "12 killed" in good.stdout
    bad = mutants(
        *("api/http/ranges.py", "--sample", "12", "--tests"),
        "tests/unit/api/http/test_ranges.py::test_no_byte_range_means_all",
    )
    assert bad.returncode == 1
    assert "SURVIVED   api/http/ranges.py:" in bad.stdout


def test_survivors_count_unless_they_are_listed() -> None:
    plugin = Mutants([])
    every = chosen(MODULES, 100, 1)
    plugin.outcome.killed, plugin.outcome.survived = every[:96], every[96:]
    assert AIM == 0.95
    assert told(plugin, {}, seed=1) == 0
    plugin.outcome.killed, plugin.outcome.unreached = every[:94], every[94:96]
    assert told(plugin, {}, seed=1) == 1
    assert told(plugin, {every[95].key: "no matter"}, seed=1) == 0


def test_modules_and_listed_survivors_exist() -> None:
    assert [module for module in MODULES if not (ROOT / module).is_file() or not judges_of(module)] == []
    real = {mutant.key for mutant in chosen(MODULES, None, 0)}
    listed = listed_survivors()
    assert [key for key in listed if key not in real] == []
    assert all(listed.values()), "each with its reason"
    assert Path(ROOT / "tests/mutants/survivors.txt").is_file()
