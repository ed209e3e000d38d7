"""Live cameras: one thread draws and codes for all of them, each at its own phase; readers are served by the loop."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from demo.errors import DemoMisuseError
from demo.rtsp.packets import packetize
from demo.rtsp.stream import Stream
from demo.video.canvas import Canvas
from demo.video.encoder import AccessUnit, Encoder, EncoderSettings, parameter_sets
from demo.video.pictures import Scene

_LATE_FRAMES: Final = 2
_SKIPS_KEPT: Final = 1000


class LiveCamera(Stream):
    """A stream drawn and coded as it is read. Without a reader nothing is drawn.

    ``advance`` belongs to the studio's thread, everything else to the event loop.
    """

    def __init__(self, *, path: str, number: int, name: str, settings: EncoderSettings, seed: int = 1) -> None:
        super().__init__(path=path, number=number, name=name, fps=settings.fps, bit_rate=settings.bit_rate)
        self.scene = Scene(number, name, settings.size, seed)
        self.settings = settings
        self.skipped = 0  # pictures not made, since the machine was too slow
        self.skips: deque[tuple[int, int]] = deque(maxlen=_SKIPS_KEPT)  # when (ns of UTC) and how many; see SKIPS_FILE
        self._index = 0
        self._build()
        while not self.sps:  # with B-frames the first picture comes out some pictures later
            for unit in self._make():
                self._learn(unit)

    @property
    def interval_ns(self) -> float:
        """Time between two pictures."""
        return float(1_000_000_000 / self.settings.fps)

    def due_ns(self) -> int:
        """When the next picture is due, on the monotonic clock."""
        return self.start_mono_ns + round(self._index * self.interval_ns)

    def advance(self, mono_ns: int) -> list[AccessUnit]:
        """The picture that is due now, and whatever the coder gives out for it."""
        behind = int((mono_ns - self.due_ns()) / self.interval_ns)
        if behind > _LATE_FRAMES:
            self.skipped += behind
            self.skips.append((time.time_ns(), behind))
            self._index += behind
        if not self.readers or self.faults.stalled:
            self._index += 1
            self.key_wanted = True
            return []
        if self.faults.size not in (None, self.settings.size):
            self.settings = replace(self.settings, size=self.faults.size)
            self.scene = self.scene.resized(self.settings.size)
            self._build()
        return self._make()

    def publish(self, units: list[AccessUnit]) -> None:
        """To the readers."""
        for unit in units:
            if unit.key:
                self._learn(unit)
            self.send(packetize(unit.nals, key=unit.key), unit.pts_ticks)

    def _build(self) -> None:
        self._canvas = Canvas(*self.settings.size)
        self._encoder = Encoder(self.settings, self.number)

    def _make(self) -> list[AccessUnit]:
        key, self.key_wanted = self.key_wanted, False
        now_ns = time.time_ns()
        self.scene.draw(self._canvas, now_ns)
        index, self._index = self._index, self._index + 1
        return self._encoder.encode(self._canvas.frame, index, now_ns // 1_000_000, key=key)

    def _learn(self, unit: AccessUnit) -> None:
        sets = parameter_sets(unit.nals)
        if sets is not None:
            self.sps, self.pps = sets


class Studio:
    """The thread. ``async with Studio(cameras).open():`` and the cameras run."""

    def __init__(self, cameras: Sequence[LiveCamera]) -> None:
        self._cameras = cameras
        self._stop = threading.Event()
        self._failed: asyncio.Future[None] | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Studio]:
        """Cameras run until the end of the block."""
        loop = asyncio.get_running_loop()
        self._spread()
        self._failed = loop.create_future()
        thread = threading.Thread(target=self._guarded, args=(loop, self._failed), name="studio", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            await asyncio.to_thread(thread.join)
            self._failed.cancel()

    async def watch(self) -> None:
        """Waits for ever; raises what ended the thread."""
        if self._failed is None:
            raise DemoMisuseError("A studio that is not open.", "Call watch inside open().")
        await asyncio.shield(self._failed)

    def _spread(self) -> None:
        """Cameras out of phase, over one picture's time."""
        now = time.monotonic_ns()
        for place, camera in enumerate(self._cameras):
            share = place / len(self._cameras)
            camera.start_mono_ns = now + round(share * camera.interval_ns) - camera.due_ns() + camera.start_mono_ns

    def _guarded(self, loop: asyncio.AbstractEventLoop, failed: asyncio.Future[None]) -> None:
        try:
            self._run(loop)
        except Exception as error:  # noqa: BLE001 (handed to the thread's supervisor)
            if not self._stop.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(_fail, failed, error)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        due = [(camera.due_ns(), place) for place, camera in enumerate(self._cameras)]
        heapq.heapify(due)
        while due and not self._stop.is_set():
            at_ns, place = due[0]
            wait_ns = at_ns - time.monotonic_ns()
            if wait_ns > 0:
                self._stop.wait(wait_ns / 1_000_000_000)
                continue
            camera = self._cameras[place]
            units = camera.advance(time.monotonic_ns())
            if units:
                loop.call_soon_threadsafe(camera.publish, units)
            heapq.heapreplace(due, (camera.due_ns(), place))


def _fail(failed: asyncio.Future[None], error: Exception) -> None:
    if not failed.done():
        failed.set_exception(error)


def live_settings(size: tuple[int, int], fps: float, bit_rate: int, gop_s: float, b_frames: int = 0) -> EncoderSettings:
    """EncoderSettings from seconds and floats."""
    rate = Fraction(fps).limit_denominator(1001)
    return EncoderSettings(
        size=size, fps=rate, bit_rate=bit_rate, gop_frames=max(1, round(gop_s * rate)), b_frames=b_frames
    )
