"""Where decoding can begin in streams without IDR pictures, and which pictures are right only after a while.

Open groups of pictures and intra refresh begin at a recovery point: a picture with the SEI message of that name. The
pictures that are shown before it refer to what came before it, and so may those of the next recovery_frame_cnt
pictures (ITU-T H.264, D.2.8). An H.265 picture of type CRA is a key picture by itself, but its leading pictures are
alike (RASL).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from ingest.access_unit import TICKS_PER_S
from ingest.video import slices

_WITHOUT_KEY_TICKS: Final = 12 * TICKS_PER_S


class Shown(Enum):
    """What a picture behind a beginning shows."""

    NOTHING = "nothing"  # it refers to what was never received
    ERRORS = "errors"
    RIGHTLY = "rightly"


class RecoveryPoints:
    """Whether a stream's recovery points have to do for key pictures.

    look_from: later pictures are to be searched for recovery points, since no key picture comes
    instead_of_keys: at least two came without a key picture
    """

    __slots__ = ("_codec", "_seen_ticks", "instead_of_keys", "look_from")

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._seen_ticks: int | None = None
        self.instead_of_keys = False
        self.look_from = 0

    def key(self, ticks: int) -> None:
        """A key picture came."""
        self.instead_of_keys, self._seen_ticks = False, None
        self.look_from = ticks + _WITHOUT_KEY_TICKS

    def frames(self, data: bytes, ticks: int) -> int | None:
        """Of an access unit that is a recovery point: pictures until all is right; None of any other."""
        found = slices.recovery_frames(self._codec, data)
        if found is not None:
            self.instead_of_keys = self.instead_of_keys or self._seen_ticks not in (None, ticks)
            self._seen_ticks = ticks
        return found


class Refresh:
    """What the pictures show behind one with which decoding has begun, in decoding order.

    frames: so many of those that are shown after it may be wrong
    anew: nothing was decoded before it; otherwise the ones shown before it have something to refer to, with errors
    """

    __slots__ = ("_anew", "_begun_ticks", "_frames")

    def __init__(self, ticks: int, frames: int, *, anew: bool) -> None:
        self._begun_ticks, self._frames, self._anew = ticks, frames, anew

    def of(self, ticks: int) -> Shown:
        """The next picture. RIGHTLY holds for all that follow."""
        if ticks < self._begun_ticks:
            return Shown.NOTHING if self._anew else Shown.ERRORS
        self._frames -= 1
        return Shown.ERRORS if self._frames >= 0 else Shown.RIGHTLY
