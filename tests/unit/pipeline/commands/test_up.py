"""`tallenne up`: its arguments, and the check that starts the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import up
from pipeline.up import UpOptions
from tests.support.commands import parsed


@pytest.mark.parametrize("words", [(), ("--smoke",)])
def test_options_reach_what_starts(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[UpOptions] = []

    async def started(options: UpOptions, *_: Any) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(up, "up", started)
    monkeypatch.setattr("pipeline.smoke.run.smoke", started)
    assert up.run(parsed(up, *words, "--cameras", "7", "--data", "gym")) == 0
    assert seen == [UpOptions(config=None, data=Path("gym"), cameras=7)]


@pytest.mark.parametrize("count", ["0", "1001", "many"])
def test_number_of_cameras_is_bounded(count: str) -> None:
    with pytest.raises(SystemExit):
        parsed(up, "--cameras", count)
