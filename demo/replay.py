"""One loop for many cameras, out of phase, at real pace, from one thread.

Per camera and picture there is one step of the heap, and per reader the numbering of its packets and one write.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from demo.loop import Loop
from demo.rtsp.reader import Reader
from demo.rtsp.stream import Stream
from demo.video.marker import STAMP_BYTES, stamp

LATE_NS: Final = 100_000_000
_SENDS_PER_TURN: Final = 64


class LoopCamera(Stream):
    """A camera that plays a loop which others play too. All methods belong to the event loop."""

    def __init__(self, *, path: str, number: int, loop: Loop) -> None:
        super().__init__(path=path, number=number, name=f"Loop {number}", fps=loop.fps, bit_rate=loop.bit_rate)
        self.sps, self.pps = loop.sps, loop.pps
        self.wake: Callable[[], None] = lambda: None
        self.loop = loop
        self._round = 0
        self._step = 0

    def add(self, reader: Reader) -> None:
        """Add a reader and wake the player."""
        super().add(reader)
        self.wake()

    def seek(self) -> None:
        """To what is due now."""
        self._round, within = divmod(self.ticks_now() - self.faults.jump_ticks, self.loop.ticks)
        self._step = self.loop.step_at(within)
        self._turn()

    def due_ns(self) -> int:
        """Of the next step, on the monotonic clock."""
        ticks = self._round * self.loop.ticks + self.loop.steps[self._step].due_ticks
        return self.start_mono_ns + ticks * 100_000 // 9

    def send_next(self) -> int:
        """Packets sent, to all readers together. The marker says when and for which camera."""
        step = self.loop.steps[self._step]
        packets = step.packets
        if packets.stamp_at >= 0:
            now = stamp(time.time_ns() // 1_000_000, self.number)
            packets.buffer[packets.stamp_at : packets.stamp_at + STAMP_BYTES] = now
        self.send(packets, self._round * self.loop.ticks + step.rtp_ticks)
        self._step += 1
        self._turn()
        return len(packets.starts) * len(self.readers)

    def _turn(self) -> None:
        if self._step >= len(self.loop.steps):
            self._step = 0
            self._round += 1


class Replayer:
    """The clock of all loop cameras. Cameras without readers cost nothing.

    late_max_ns, late_packets: how far behind its time a step ever began, and how many packets were over 100 ms behind
    """

    def __init__(self, cameras: Sequence[LoopCamera]) -> None:
        self._cameras = cameras
        self._due: list[tuple[int, int]] = []
        self._playing: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.packets = 0
        self.late_max_ns = 0
        self.late_packets = 0

    def start(self) -> None:
        """Spread the cameras' starts evenly over the loop, and play for every reader."""
        now_ns = time.monotonic_ns()
        for place, camera in enumerate(self._cameras):
            round_ns = camera.loop.ticks * 100_000 // 9
            camera.start_mono_ns = now_ns - round_ns * place // len(self._cameras)
            camera.wake = partial(self._wake, place)

    def stop(self) -> None:
        """Stop playing."""
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self, place: int) -> None:
        if place not in self._playing:
            self._playing.add(place)
            self._cameras[place].seek()
            heapq.heappush(self._due, (self._cameras[place].due_ns(), place))
            self._again()

    def _tick(self) -> None:
        """Send what is due, with turns for the connections in between."""
        self._timer = None
        for _ in range(_SENDS_PER_TURN):
            now_ns = time.monotonic_ns()
            if not self._due or self._due[0][0] > now_ns:
                break
            due_ns, place = self._due[0]
            camera = self._cameras[place]
            if not camera.readers:
                heapq.heappop(self._due)
                self._playing.discard(place)
                continue
            self._count(now_ns - due_ns, camera.send_next())
            heapq.heapreplace(self._due, (camera.due_ns(), place))
        self._again()

    def _count(self, late_ns: int, packets: int) -> None:
        self.packets += packets
        if late_ns > self.late_max_ns:
            self.late_max_ns = late_ns
        if late_ns > LATE_NS:
            self.late_packets += packets

    def _again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait_s = max(0.0, (self._due[0][0] - time.monotonic_ns()) / 1_000_000_000)
            self._timer = self._loop.call_later(wait_s, self._tick)
