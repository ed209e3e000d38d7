"""The picture that is shown at a time is the picture of that time, whoever seeks, and it is whole."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.judges.clips import FILMS, Film, Scene, as_recorded, make
from tests.judges.panel import JUDGES, Judge, judged
from tests.judges.rule import Table

SEED: Final = 21
IN_TEST: Final = ("everything", "middle", "sound", "h265")
CONTROL: Final = Film(scenes=[Scene(seconds=12)], segment_s=60)
pytestmark = [
    pytest.mark.slow,
    # Playwright leaves its own transports to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@functools.cache
def made(name: str) -> tuple[bytes, Table]:
    return as_recorded(CONTROL) if name == "as recorded" else make(FILMS[name])


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "clip.mp4"
    (tmp_path / "clip.mp4").unlink(missing_ok=True)


def ready(name: str) -> Judge:
    """The judge, or the test is skipped with what it lacks."""
    judge = JUDGES[name]
    if lacking := judge.missing():
        pytest.skip(lacking)
    return judge


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("film", FILMS)
def test_picture_of_its_time_is_shown_whole(film: str, name: str, clip: Path, seek_times: int | None) -> None:
    judge = ready(name)
    if film == "h265" and not judge.h265:
        pytest.skip("it does not decode H.265 everywhere")
    if seek_times is None and film not in IN_TEST:
        pytest.skip("each thing by itself only with --seek-times")
    data, table = made(film)
    clip.write_bytes(data)
    verdict = judged(judge, clip, table, table.times(seek_times or judge.times, SEED))
    print(f"{film}: {verdict}")
    assert not verdict.wrong, str(verdict)


@pytest.mark.parametrize("name", ["libav", "ffmpeg-before", "vlc", "chromium", "chromium-mse"])
def test_index_of_half_seconds_is_found_out(name: str, clip: Path) -> None:
    """Positive control: what clips were when players showed other moments."""
    judge = ready(name)
    data, table = made("as recorded")
    clip.write_bytes(data)
    verdict = judged(judge, clip, table, table.times(6, SEED))
    assert len(verdict.wrong) >= 2, str(verdict)
