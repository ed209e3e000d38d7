"""`tallenne clip`: arguments that do not go together are refused before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands import clip
from pipeline.errors import SetupError
from tests.support.commands import parsed

SPAN = ("--start", "2026-11-22T06:30:00Z", "--end", "2026-11-22T06:33:00Z")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No search was given"),
        (("--camera", "Hall", *SPAN), "No output file was given"),
        (("--export", "1"), "No output file was given"),
        (("--camera", "Hall", "-o", "clip.mp4"), "A camera needs a span"),
        (("--member", "Aalto", "--start", SPAN[3], "--end", SPAN[1]), "--end is not after --start"),
        (("--door", "Main", "-o", "."), "cannot be written"),
        (("--door", "Main", "-o", "no/such/folder/clip.mp4"), "cannot be written"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        clip.run(parsed(clip, "--reason", "two on one card", *words))


@pytest.mark.parametrize("words", [(), ("--reason", "x", "--category", "fun"), ("--reason", "x", "--pick", "0")])
def test_reason_is_required_and_values_are_bounded(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        parsed(clip, *words)


def test_without_a_server_it_names_the_installation(tmp_path: Path) -> None:
    arguments = parsed(clip, "--reason", "x", "--door", "Main", "--data", str(tmp_path))
    with pytest.raises(SetupError, match=r"demo|staff API"):
        clip.run(arguments)
