"""Which picture a judge must show at a time, and whether it did."""

from __future__ import annotations

import bisect
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.judges.picture import Look

TICK_S: Final = 1 / 90_000
TOLERANCE_S: Final = 0.001 + TICK_S
"""A group of pictures begins where the clip's index says, which knows it to the millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """start_s, end_s: its interval in the clip; it ends with the next picture, or where its footage ends.

    reordered: it is of a stream with B-frames.
    """

    number: int
    start_s: float
    end_s: float
    key: bool = False
    reordered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The pictures of a clip by time. delay_s: so much later than decoded they are shown, because of B-frames."""

    pictures: Sequence[Picture]
    delay_s: float = 0.0

    def holding(self, at_s: float) -> set[int]:
        """Those whose interval holds the time; two within a tick of where one ends."""
        near = (self._last(at_s + shift) for shift in (-TOLERANCE_S, 0.0, TOLERANCE_S))
        return {picture.number for picture in near if picture is not None}

    def from_on(self, at_s: float) -> set[int]:
        """The first that begins at the time or later."""
        starts = [picture.start_s for picture in self.pictures]
        places = {bisect.bisect_left(starts, at_s + shift) for shift in (-TOLERANCE_S, 0.0, TOLERANCE_S)}
        return {self.pictures[place].number for place in places if place < len(starts)}

    def key_before(self, at_s: float) -> set[int]:
        """The last key frame that begins at the time or earlier."""
        keys = Table([picture for picture in self.pictures if picture.key])
        return keys.holding(at_s)

    def key_or_holding(self, at_s: float) -> set[int]:
        """For seeking to key frames, which GStreamer does only where it has the whole table of samples."""
        return self.key_before(at_s) | self.neighbour_if_uneven(at_s)

    def neighbour_if_uneven(self, at_s: float) -> set[int]:
        """For those who take a picture's duration in decoding for how long it is shown.

        With B-frames at a variable rate the two differ: the picture before or after is shown instead.
        """
        place = self._place(at_s) - 1
        near = self.pictures[max(0, place - 4) : place + 5]
        steps = [picture.end_s - picture.start_s for picture in near]
        found = self.holding(at_s)
        if any(picture.reordered for picture in near) and max(steps) - min(steps) > TOLERANCE_S:
            found |= {picture.number for picture in self.pictures[max(0, place - 1) : place + 2]}
        return found

    def early_by_delay(self, at_s: float) -> set[int]:
        """For VLC, which compares with decode times and takes no edit list in a fragmented file: the delay, twice."""
        early_s = 2 * self.delay_s + TOLERANCE_S if self.delay_s else 0.0
        early = {picture.number for picture in self.pictures if at_s - early_s < picture.end_s <= at_s}
        return self.holding(at_s) | early

    def _place(self, at_s: float) -> int:
        """How many begin at the time or earlier."""
        return bisect.bisect_right(self.pictures, at_s, key=lambda picture: picture.start_s)

    def _last(self, at_s: float) -> Picture | None:
        place = self._place(at_s)
        return self.pictures[place - 1] if place else None

    def times(self, count: int, seed: int) -> list[float]:
        """Random times within footage, in whole milliseconds, which every judge can be asked for."""
        dice = random.Random(seed)
        found: list[float] = []
        end_s = self.pictures[-1].start_s
        while len(found) < count:
            at_s = dice.randrange(round(end_s * 1000)) / 1000
            picture = self._last(at_s)
            if picture is not None and at_s < picture.end_s:
                found.append(at_s)
        return found

    def cut(self, start_s: float, end_s: float) -> Table:
        """Only the pictures that begin in [start_s, end_s), in seconds since then."""
        inside = [picture for picture in self.pictures if start_s - TICK_S <= picture.start_s < end_s - TICK_S]
        moved = [
            replace(picture, start_s=picture.start_s - start_s, end_s=min(picture.end_s, end_s) - start_s)
            for picture in inside
        ]
        return Table(moved, self.delay_s)

    def save(self, path: Path) -> None:
        """JSON: {"delay_s": ..., "pictures": [[number, start_s, end_s, key, reordered], ...]}."""
        rows = [[p.number, p.start_s, p.end_s, p.key, p.reordered] for p in self.pictures]
        path.write_text(json.dumps({"delay_s": self.delay_s, "pictures": rows}))

    @classmethod
    def load(cls, path: Path) -> Table:
        """What ``save()`` wrote; a picture's last two may be missing."""
        said = json.loads(path.read_text())
        names = ("number", "start_s", "end_s", "key", "reordered")
        pictures = [Picture(**dict(zip(names, row, strict=False))) for row in said["pictures"]]
        return cls(pictures, said.get("delay_s", 0.0))


Rule = Callable[[Table, float], set[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    at_s: float
    look: Look
    off_s: float | None  # how late the picture is that is shown; None when it is not legible

    def __str__(self) -> str:
        shown = "nothing legible" if self.off_s is None else f"a picture {self.off_s:+.3f} s off"
        return f"{self.at_s:.3f} s: {shown}{', smeared' if self.look.smeared else ''} {self.look.note}".rstrip()


def wrong_looks(table: Table, rule: Rule, times: Sequence[float], looks: Sequence[Look]) -> list[Wrong]:
    """What was not the right picture, or not whole."""
    starts = {picture.number: picture.start_s for picture in table.pictures}
    found = []
    for at_s, look in zip(times, looks, strict=True):
        wanted = rule(table, at_s)
        if look.number in wanted and not look.smeared:
            continue
        start_s = None if look.number is None else starts.get(look.number)
        due_s = min(starts[number] for number in table.holding(at_s))
        found.append(Wrong(at_s=at_s, look=look, off_s=None if start_s is None else start_s - due_s))
    return found
