"""Joins what a detector sees in one frame and the next to tracks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from masking.boxes import Box
from masking.tracks import Sighting


@dataclass(slots=True)
class _Open:
    seen: list[Sighting] = field(default_factory=list)


class Linker:
    """``push()`` the boxes of each frame that was looked at, in ascending order; ``chains()`` at the end.

    gap: a thing that is not seen for more frames than that is another thing when it comes again
    overlap: the least that the boxes of a thing in two frames have in common (intersection over union)
    """

    def __init__(self, *, gap: int, overlap: float) -> None:
        self._gap, self._overlap = gap, overlap
        self._open: list[_Open] = []
        self._closed: list[_Open] = []

    def push(self, frame: int, boxes: Sequence[Box]) -> None:
        """The pairs that overlap most are joined first; each box and each track is joined once."""
        still = [chain for chain in self._open if frame - chain.seen[-1].frame <= self._gap]
        self._closed += [chain for chain in self._open if frame - chain.seen[-1].frame > self._gap]
        pairs = sorted(
            ((chain.seen[-1].box.overlap(box), c, b) for c, chain in enumerate(still) for b, box in enumerate(boxes)),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        taken_chains: set[int] = set()
        taken_boxes: set[int] = set()
        for overlap, c, b in pairs:
            if overlap < self._overlap or overlap == 0:
                break
            if c not in taken_chains and b not in taken_boxes:
                still[c].seen.append(Sighting(frame, boxes[b]))
                taken_chains.add(c)
                taken_boxes.add(b)
        fresh = [_Open([Sighting(frame, box)]) for b, box in enumerate(boxes) if b not in taken_boxes]
        self._open = still + fresh

    def chains(self) -> Iterator[tuple[Sighting, ...]]:
        """All, in the order of their first frames."""
        found = sorted(self._closed + self._open, key=lambda chain: chain.seen[0].frame)
        return (tuple(chain.seen) for chain in found)
