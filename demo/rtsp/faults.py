"""Faults of a camera, on request. Called from the server's event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

CLOCK_RATE: Final = 90_000


class Faults:
    """The switches of one camera.

    loss: share of the packets that are never sent though numbered (0..1); may be set at any time
    start_mid_gop: new readers get pictures at once, as from some cameras, not from the next key picture on
    """

    def __init__(self, drop_readers: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.loss = 0.0
        self.start_mid_gop = False
        self.jump_ns = 0
        self.size: tuple[int, int] | None = None
        self._drop_readers = drop_readers
        self._clock = clock
        self._stalled_until = 0.0
        self._refused_until = 0.0

    def stall(self, seconds: float) -> None:
        """Stall: the camera stays connected and sends nothing. It continues with a key picture."""
        self._stalled_until = self._clock() + seconds

    def drop(self) -> None:
        """Break all connections that read this camera, without a word."""
        self._drop_readers()

    def refuse(self, seconds: float) -> None:
        """Answer 503 to DESCRIBE, SETUP and PLAY. RtspServer.refuse cuts off every connection instead."""
        self._refused_until = self._clock() + seconds

    def jump_clock(self, seconds: float) -> None:
        """The camera's own clock steps: RTP timestamps and the NTP time of its reports. Strip and marker stay true."""
        self.jump_ns += round(seconds * 1_000_000_000)

    def change_size(self, width: int, height: int) -> None:
        """New parameter sets in mid-stream, at the next picture. Live cameras only; a replayed loop stays as it is."""
        self.size = (width, height)

    @property
    def stalled(self) -> bool:
        """Whether pictures and reports are held back now."""
        return self._clock() < self._stalled_until

    @property
    def refusing(self) -> bool:
        """Whether requests are answered with 503 now."""
        return self._clock() < self._refused_until

    @property
    def jump_ticks(self) -> int:
        """The clock's jumps so far, in 90 kHz ticks."""
        return self.jump_ns * CLOCK_RATE // 1_000_000_000
