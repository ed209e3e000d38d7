"""How much of each clip has been sent to a session, so that a clip that was sent whole is on record as that. Pure.

It cannot be prevented that a person keeps what is shown to them; it can be known that all of it was.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from api.footage.cache import ClipRequest

SHARE: Final = 0.9
"""So much of a clip's bytes count as the whole of it: leaving its last pictures out does not keep it off the record."""
CLIPS_MAX: Final = 4096


@dataclass(slots=True)
class _Clip:
    size_bytes: int
    pieces: list[tuple[int, int]] = field(default_factory=list)  # sorted, apart from one another
    recorded: bool = False


class Sent:
    """The bytes that were sent of each clip, at most CLIPS_MAX clips: those that were sent last."""

    def __init__(self) -> None:
        self._clips: OrderedDict[ClipRequest, _Clip] = OrderedDict()

    def add(self, asked: ClipRequest, size_bytes: int, start: int, end: int) -> bool:
        """Bytes [start, end) of a clip of that size are about to be sent. True once, when with them it is whole."""
        clip = self._clips.get(asked)
        if clip is None or clip.size_bytes != size_bytes:
            clip = self._clips[asked] = _Clip(size_bytes)
        self._clips.move_to_end(asked)
        if len(self._clips) > CLIPS_MAX:
            self._clips.popitem(last=False)
        clip.pieces = _merged([*clip.pieces, (start, end)])
        whole = not clip.recorded and sum(end - start for start, end in clip.pieces) >= SHARE * size_bytes
        clip.recorded |= whole
        return whole

    def forget(self, asked: ClipRequest) -> None:
        """It could not be put on record: what follows counts anew."""
        self._clips.pop(asked, None)


def _merged(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
