"""What probes share: warm up, repeat, print; a planted slowdown shows in the account only."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.probes import cost


@pytest.mark.parametrize(("words", "expected"), [([], 1 + 10), (["--planted", "0.5"], 1 + 15)])
def test_work_is_repeated_and_the_planted_part_is_not_announced(
    words: list[str], expected: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["probe", *words])
    done: list[int] = []
    cost.main(lambda: done.append(1), repeat=10, cpu_s=lambda: float(len(done)))
    assert len(done) == expected
    assert json.loads(capsys.readouterr().out) == {"cpu_s": expected - 1}
