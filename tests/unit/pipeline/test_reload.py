"""A configuration that is changed while everything runs: whatever is wrong with it, what runs goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import reload
from pipeline.config.load import stamp_of
from pipeline.errors import SetupError
from pipeline.reload import Changes


@pytest.mark.parametrize("error", [ValueError("not foreseen"), RecursionError()])
async def test_a_mistake_of_ours_leaves_the_old_one_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "tallenne.toml"
    path.write_text("before")
    told: list[str] = []
    running: Any = SimpleNamespace(
        settings=SimpleNamespace(loaded=SimpleNamespace(path=path, stamp=stamp_of(path))),
        tell=SimpleNamespace(line=told.append),
    )
    changes = Changes(running, asyncio.Event())

    def load(_: Path) -> None:
        raise error

    monkeypatch.setattr(reload, "load", load)
    await changes.look()
    assert told == []
    path.write_text("after a change")
    await changes.look()
    await changes.look()
    (line,) = told
    assert "not used" in line
    assert type(error).__name__ in line


async def test_change_while_everything_starts_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tallenne.toml"
    path.write_text("read at the start")
    loaded = SimpleNamespace(path=path, stamp=stamp_of(path))
    path.write_text("changed before all was ready")
    running: Any = SimpleNamespace(settings=SimpleNamespace(loaded=loaded), tell=SimpleNamespace(line=lambda _: None))
    read: list[Path] = []

    def load(path: Path) -> None:
        read.append(path)
        raise SetupError("enough")

    monkeypatch.setattr(reload, "load", load)
    await Changes(running, asyncio.Event()).look()
    assert read == [path]
