"""Finds where decoding can begin in streams without IDR pictures, and which pictures are correct only later.

Open groups of pictures and intra refresh begin at a recovery point, a picture with the SEI message of that name.
Pictures that are shown before it refer to earlier ones, and so may the next recovery_frame_cnt pictures (ITU-T H.264,
D.2.8). An H.265 picture of type CRA is a key picture by itself, but its leading pictures (RASL) refer to earlier ones.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from ingest.access_unit import TICKS_PER_S
from ingest.video import slices

_WITHOUT_KEY_TICKS: Final = 12 * TICKS_PER_S


class Shown(Enum):
    """What a picture shows after decoding has begun."""

    NOTHING = "nothing"  # it refers to pictures that were never received
    ERRORS = "errors"
    RIGHTLY = "rightly"


class RecoveryPoints:
    """Finds out whether a stream's recovery points have to serve as key pictures.

    look_from: pictures after this time are searched for recovery points, since there was no key picture
    instead_of_keys: at least two recovery points arrived without a key picture
    """

    __slots__ = ("_codec", "_seen_ticks", "instead_of_keys", "look_from")

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._seen_ticks: int | None = None
        self.instead_of_keys = False
        self.look_from = 0

    def key(self, ticks: int) -> None:
        """Account for a key picture."""
        self.instead_of_keys, self._seen_ticks = False, None
        self.look_from = ticks + _WITHOUT_KEY_TICKS

    def frames(self, data: bytes, ticks: int) -> int | None:
        """Return the number of pictures from a recovery point until all is right; None: not a recovery point."""
        found = slices.recovery_frames(self._codec, data)
        if found is not None:
            self.instead_of_keys = self.instead_of_keys or self._seen_ticks not in (None, ticks)
            self._seen_ticks = ticks
        return found


class Refresh:
    """Says what the pictures show after the one with which decoding began, in decoding order.

    frames: number of pictures shown after it that may be wrong
    anew: nothing was decoded before it; otherwise earlier-shown pictures can be decoded, with errors
    """

    __slots__ = ("_anew", "_begun_ticks", "_frames")

    def __init__(self, ticks: int, frames: int, *, anew: bool) -> None:
        self._begun_ticks, self._frames, self._anew = ticks, frames, anew

    def of(self, ticks: int) -> Shown:
        """Return what the next picture shows. After RIGHTLY all following ones are right."""
        if ticks < self._begun_ticks:
            return Shown.NOTHING if self._anew else Shown.ERRORS
        self._frames -= 1
        return Shown.ERRORS if self._frames >= 0 else Shown.RIGHTLY
