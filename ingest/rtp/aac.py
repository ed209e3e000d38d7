"""Depacketizes AAC: mpeg4-generic in mode AAC-hbr (RFC 3640, 3.3.6); and parses its configuration."""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S, Sound, SoundFormat
from ingest.errors import StreamError
from ingest.rtp.counts import Counts
from ingest.rtp.packet import PayloadBounds
from ingest.video.bits import Bits

_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_LOW_COMPLEXITY: Final = 2
_FRAME_MAX: Final = 8191  # sizeLength is 13 bits
_CONFIG_MAX: Final = 64
_NONE: Final = -1
_WAITING_MAX: Final = 2000


def sound_format(config: bytes) -> SoundFormat:
    """Parse an AudioSpecificConfig. StreamError: not AAC-LC, mono or stereo."""
    if not 2 <= len(config) <= _CONFIG_MAX:
        raise StreamError("its AAC is not described.", "Choose AAC-LC there.")
    bits = Bits(config + bytes(8))
    kind = bits.u(5)
    index = bits.u(4)
    rate = bits.u(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    channels = bits.u(4)
    if kind != _LOW_COMPLEXITY or not 7350 <= rate <= 96000 or channels not in (1, 2):
        raise StreamError(f"its AAC is of a kind that is not recorded ({kind}, {rate} Hz).", "Choose AAC-LC there.")
    return SoundFormat(config=config, rate_hz=rate, channels=channels, frame_samples=960 if bits.u(1) else 1024)


class AacTrack:
    """Pass whole packets to ``take()``. It never raises: malformed packets are counted and ignored."""

    def __init__(self, payload_type: int, form: SoundFormat, clock_rate: int, counts: Counts | None = None) -> None:
        self.form = form
        self.counts = counts if counts is not None else Counts()
        self._payload_type = payload_type
        self._clock_rate = clock_rate or form.rate_hz
        self._step = form.frame_samples * self._clock_rate // form.rate_hz  # duration of a frame, in the packets' clock
        self._clock = _NONE
        self._time = 0  # unwrapped
        self._sequence = _NONE
        self._part = bytearray()  # of a frame that spans packets
        self._part_size = 0
        self._bounds = PayloadBounds()

    def ticks_of(self, clock: int) -> int | None:
        """Convert a packet's time to the sound's timeline, 90 kHz; None before the first packet."""
        if self._clock == _NONE:
            return None
        return (self._time + _signed(clock - self._clock)) * TICKS_PER_S // self._clock_rate

    def take(
        self, view: memoryview, start: int, stop: int, mono_ns: int, lead_ticks: int | None, out: list[Sound]
    ) -> None:
        """Take the RTP packet view[start:stop]."""
        first, last = self._bounds.of(view, start, stop)
        if first < 0:
            self.counts.sound_malformed += 1
            return
        if view[start + 1] & 0x7F != self._payload_type:
            return
        sequence = int.from_bytes(view[start + 2 : start + 4], "big")
        clock = int.from_bytes(view[start + 4 : start + 8], "big")
        if self._sequence != _NONE and sequence != self._sequence:
            lost = sequence - self._sequence & 0xFFFF
            if lost >= 0x8000:
                return  # repeated
            self.counts.sound_lost += lost
            self._part.clear()
        self._sequence = sequence + 1 & 0xFFFF
        if clock != self._clock:
            self._part.clear()
        self._time = clock if self._clock == _NONE else self._time + _signed(clock - self._clock)
        self._clock = clock
        if len(out) >= _WAITING_MAX:
            del out[: _WAITING_MAX // 2]  # sound is not taken while there are no pictures
        if not self._frames(view, first, last, mono_ns, lead_ticks, out):
            self.counts.sound_malformed += 1
            self._part.clear()

    def _frames(
        self, view: memoryview, at: int, stop: int, mono_ns: int, lead_ticks: int | None, out: list[Sound]
    ) -> bool:
        if stop - at < 4:
            return False
        bits = int.from_bytes(view[at : at + 2], "big")
        count, rest = divmod(bits, 16)
        data = at + 2 + 2 * count
        if rest or not count or data >= stop:
            return False
        sizes = [int.from_bytes(view[place : place + 2], "big") >> 3 for place in range(at + 2, data, 2)]
        if count == 1 and (sizes[0] > stop - data or self._part):
            return self._fragment(view[data:stop], sizes[0], mono_ns, lead_ticks, out)
        self._part.clear()
        for number, size in enumerate(sizes):
            if not 0 < size <= stop - data:
                return False
            self._give(bytes(view[data : data + size]), number, mono_ns, lead_ticks, out)
            data += size
        return True

    def _fragment(self, piece: memoryview, size: int, mono_ns: int, lead_ticks: int | None, out: list[Sound]) -> bool:
        """Take a part of a frame that spans packets; each of them states the frame's size and time (3.2.3.2)."""
        if size > _FRAME_MAX or (self._part and size != self._part_size):
            return False
        self._part_size = size
        self._part += piece
        if len(self._part) > size:
            return False
        if len(self._part) == size:
            self._give(bytes(self._part), 0, mono_ns, lead_ticks, out)
            self._part.clear()
        return True

    def _give(self, data: bytes, number: int, mono_ns: int, lead_ticks: int | None, out: list[Sound]) -> None:
        ticks = (self._time + number * self._step) * TICKS_PER_S // self._clock_rate
        out.append(Sound(data, ticks, lead_ticks, mono_ns))


def _signed(delta: int) -> int:
    delta &= 0xFFFFFFFF
    return delta - (delta >> 31 << 32)
