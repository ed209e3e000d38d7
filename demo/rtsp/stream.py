"""One camera's stream: its description, its readers, and the delivery of pictures to them."""

from __future__ import annotations

import time
from fractions import Fraction

from demo.rtsp import sdp
from demo.rtsp.faults import CLOCK_RATE, Faults
from demo.rtsp.packets import Packets
from demo.rtsp.reader import Reader


class Stream:
    """Fed by a live coder or a replayed loop. All methods belong to the event loop.

    start_mono_ns: when its RTP clock stood at zero, on the monotonic clock
    """

    def __init__(self, *, path: str, number: int, name: str, fps: Fraction, bit_rate: int) -> None:
        self.path = path
        self.number = number
        self.name = name
        self.fps = fps
        self.bit_rate = bit_rate
        self.start_mono_ns = time.monotonic_ns()
        self.sps = b""
        self.pps = b""
        self.faults = Faults(self.drop_readers)
        self.readers: set[Reader] = set()
        self.frames = 0  # pictures that went to at least one reader
        self.sent_bytes = 0
        self.slow_readers = 0
        self.key_wanted = False  # a live coder makes the next picture a key picture and clears it

    def describe(self) -> bytes:
        """Return the stream's SDP."""
        return sdp.describe(name=self.name, sps=self.sps, pps=self.pps, fps=self.fps, bit_rate=self.bit_rate)

    def ticks_now(self) -> int:
        """Of the RTP clock, before each reader's own offset."""
        elapsed_ns = time.monotonic_ns() - self.start_mono_ns
        return elapsed_ns * CLOCK_RATE // 1_000_000_000 + self.faults.jump_ticks

    def add(self, reader: Reader) -> None:
        """Add a reader; it begins at the next key picture unless the camera starts in mid-GOP."""
        if reader in self.readers:  # PLAY said twice
            return
        reader.fresh = not self.faults.start_mid_gop
        self.readers.add(reader)
        self.key_wanted = self.key_wanted or reader.fresh

    def remove(self, reader: Reader) -> None:
        """Remove a reader, if it is there."""
        self.readers.discard(reader)

    def drop_readers(self) -> None:
        """Reset all readers' connections."""
        for reader in self.readers:
            reader.drop()
        self.readers.clear()

    def send(self, packets: Packets, ticks: int) -> None:
        """Send to all readers; none of them waits for another."""
        faults = self.faults
        if faults.stalled:
            for reader in self.readers:
                reader.fresh = True
            self.key_wanted = True
            return
        mono_ns, clock_ticks, ticks = time.monotonic_ns(), self.ticks_now(), ticks + faults.jump_ticks
        starts_clean = packets.key and packets.first
        too_slow: list[Reader] = []
        for reader in self.readers:
            if reader.fresh:
                if not starts_clean:
                    continue
                reader.fresh = False
            sent = reader.send(packets, ticks, faults.loss)
            if sent < 0:
                too_slow.append(reader)
                continue
            self.sent_bytes += sent
            reader.report(clock_ticks, mono_ns, faults.jump_ns)
        if self.readers and packets.first:
            self.frames += 1
        self.slow_readers += len(too_slow)
        self.readers.difference_update(too_slow)
