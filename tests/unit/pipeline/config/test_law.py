"""What the law wants of a camera's configuration (docs/LAW.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import load
from tests.support.configuration import GOOD, mistakes, written


@pytest.mark.parametrize("key", ["purpose", "assessment", "zone"])
def test_camera_without_purpose_or_reference_is_refused(tmp_path: Path, key: str) -> None:
    lines = GOOD.splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith(key))
    expected = [f"site[1].camera[{number}].{key}: It is missing. Add it." for number in (1, 2)]
    assert [line.partition(": ")[2] for line in mistakes(tmp_path, without)] == expected
    empty = "".join(f'{key} = ""\n' if line.startswith(key) else line for line in lines)
    assert len(mistakes(tmp_path, empty)) >= 2


def test_defaults_are_no_sound_and_72_hours(tmp_path: Path) -> None:
    cameras = load(written(tmp_path, GOOD)).config.site[0].camera
    assert [(camera.audio, camera.retention_h) for camera in cameras] == [(False, 72), (False, 72)]


@pytest.mark.parametrize(
    ("hours", "words"),
    [(73, "More than 72 hours need a reason (EDPB"), (8761, "less than or equal to 8760")],
)
def test_more_than_72_hours_need_a_reason_and_more_than_a_year_is_refused(
    tmp_path: Path, hours: int, words: str
) -> None:
    text = GOOD.replace('zone = "gym"', f'zone = "gym"\nretention_h = {hours}')
    (said,) = mistakes(tmp_path, text)
    assert words in said
    reasoned = text.replace('zone = "gym"', 'zone = "gym"\nretention_reason = "burglaries"')
    if hours == 73:
        assert load(written(tmp_path, reasoned)).config.site[0].camera[1].retention_h == 73
    else:
        assert words in mistakes(tmp_path, reasoned)[0]  # no reason goes beyond a year
