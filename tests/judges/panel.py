"""All judges, each with what it must show."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.judges.picture import Look
from tests.judges.players import chromium, firefox, gstreamer, libav, vlc
from tests.judges.rule import Rule, Table, Wrong, wrong_looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """missing: says what is not installed, if anything; seek: what is shown at each time.

    times: for how many ``./test`` asks
    """

    name: str
    missing: Callable[[], str]
    seek: Callable[[Path, Sequence[float]], list[Look]]
    rule: Rule = Table.holding
    h265: bool = True  # whether it decodes H.265
    times: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    judge: str
    asked: int
    wrong: Sequence[Wrong]
    seconds: float

    def __str__(self) -> str:
        told = [f"{self.judge}: {self.asked - len(self.wrong)} of {self.asked} right ({self.seconds:.1f} s)"]
        return "\n    ".join([*told, *map(str, self.wrong[:5])])


JUDGES: Final = {
    judge.name: judge
    for judge in (
        Judge(name="libav", missing=lambda: "", seek=libav.seek_by_container, times=60),
        Judge(name="ffmpeg-before", missing=libav.missing, seek=libav.seek_before_input, rule=Table.from_on),
        Judge(name="ffmpeg-after", missing=libav.missing, seek=libav.seek_after_input, rule=Table.from_on),
        Judge(
            name="gstreamer",
            missing=gstreamer.missing,
            seek=gstreamer.seek_accurate,
            rule=Table.neighbour_if_uneven,
            times=60,
        ),
        Judge(name="gstreamer-key", missing=gstreamer.missing, seek=gstreamer.seek_key_unit, rule=Table.key_or_holding),
        Judge(name="vlc", missing=vlc.missing, seek=vlc.seek_paused, rule=Table.early_by_delay),
        Judge(name="chromium", missing=chromium.missing, seek=chromium.seek_src, h265=False),
        Judge(name="chromium-mse", missing=chromium.missing, seek=chromium.seek_media_source, h265=False),
        Judge(name="firefox", missing=firefox.missing, seek=firefox.seek_src, h265=False),
        Judge(name="firefox-mse", missing=firefox.missing, seek=firefox.seek_media_source, h265=False),
    )
}
"""The rules of GStreamer and VLC hold of any MP4, ffmpeg's own ones too."""


def judged(judge: Judge, clip: Path, table: Table, times: Sequence[float]) -> Verdict:
    """One judge on one clip."""
    started_s = time.monotonic()
    looks = judge.seek(clip, times)
    seconds = time.monotonic() - started_s
    return Verdict(
        judge=judge.name, asked=len(times), wrong=wrong_looks(table, judge.rule, times, looks), seconds=seconds
    )
