"""One fragment's moof, as our recorder writes it: a track of pictures, then one of sound if there is any; a run each.

Both carry their decode time in a tfdt of version 1 and their samples in a single trun whose data follows the moof.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

from storage.mp4.boxes import Box, boxes, find
from storage.mp4.errors import Mp4Error

TICKS_MAX = (1 << 63) - 1
NON_SYNC = 0x00010000  # trun sample flag sample_is_non_sync_sample (ISO/IEC 14496-12, 8.8.3.1)
PICTURE_SAMPLE = struct.Struct(">IIIi")  # duration, size, flags, composition offset
SOUND_SAMPLE = struct.Struct(">II")  # duration, size
PICTURE_RUN_FLAGS = 0x01000F01  # version 1; data offset, duration, size, flags, composition offset
SOUND_RUN_FLAGS = 0x00000301  # version 0; data offset, duration, size
_TFDT = struct.Struct(">IQ")
_TRUN = struct.Struct(">IIi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The samples of one track in one fragment, in decode order. Ticks are the track's, since the segment's start.

    flags and offsets (composition offsets) are empty for sound: its samples are all sync samples, shown when decoded.
    """

    decode_ticks: int
    durations: tuple[int, ...]
    sizes: tuple[int, ...]
    flags: tuple[int, ...] = ()
    offsets: tuple[int, ...] = ()

    @property
    def decode_times(self) -> list[int]:
        """When each sample is decoded, and when the last one ends."""
        return list(itertools.accumulate(self.durations, initial=self.decode_ticks))

    @property
    def shown_times(self) -> list[int]:
        """When each picture is shown, late by as much as the composition offsets are raised. Not for sound."""
        return [at + offset for at, offset in zip(self.decode_times, self.offsets, strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moof:
    pictures: Run
    sound: Run | None

    @property
    def decode_ticks(self) -> int:
        """Of the first picture, since the segment's start."""
        return self.pictures.decode_ticks

    @property
    def duration_ticks(self) -> int:
        return sum(self.pictures.durations)

    @property
    def frames(self) -> int:
        return len(self.pictures.sizes)

    @property
    def key(self) -> bool:
        """Whether the first picture is a key frame."""
        return not self.pictures.flags[0] & NON_SYNC

    @property
    def data_bytes(self) -> int:
        """Of the mdat's contents: all pictures, then all sound."""
        return sum(self.pictures.sizes) + (sum(self.sound.sizes) if self.sound else 0)


def parse_moof(moof: bytes | bytearray | memoryview) -> Moof:
    """Mp4Error when our recorder does not write such a moof, or when its tables do not fit."""
    outer = find(moof, b"moof")
    trafs = [item for item in boxes(moof, outer.body, outer.end) if item.kind == b"traf"]
    if not 1 <= len(trafs) <= 2:
        raise Mp4Error("A fragment has no tracks of ours.")
    decode_ticks, samples, data_offset = _run(moof, trafs[0], PICTURE_RUN_FLAGS, PICTURE_SAMPLE)
    if data_offset != len(moof) + 8 or not samples:
        raise Mp4Error("A fragment is not of the kind that our recorder writes.")
    durations, sizes, flags, offsets = zip(*samples, strict=True)
    pictures = Run(decode_ticks=decode_ticks, durations=durations, sizes=sizes, flags=flags, offsets=offsets)
    if len(trafs) == 1:
        return Moof(pictures=pictures, sound=None)
    decode_ticks, samples, sound_offset = _run(moof, trafs[1], SOUND_RUN_FLAGS, SOUND_SAMPLE)
    if sound_offset != data_offset + sum(sizes):
        raise Mp4Error("A fragment's sound does not lie behind its pictures.")
    durations, sizes = zip(*samples, strict=True) if samples else ((), ())
    return Moof(pictures=pictures, sound=Run(decode_ticks=decode_ticks, durations=durations, sizes=sizes))


def _run(
    moof: bytes | bytearray | memoryview, traf: Box, wanted_flags: int, sample: struct.Struct
) -> tuple[int, list[tuple[int, ...]], int]:
    """Decode time, samples and data offset of one track."""
    tables = {item.kind: item for item in boxes(moof, traf.body, traf.end)}
    tfdt, trun = tables.get(b"tfdt"), tables.get(b"trun")
    if tfdt is None or trun is None:
        raise Mp4Error("A fragment's track has no tfdt or no trun.")
    if tfdt.end - tfdt.body != _TFDT.size or trun.end - trun.body < _TRUN.size:
        raise Mp4Error("A fragment's tables do not fit.")
    version_flags, decode_ticks = _TFDT.unpack_from(moof, tfdt.body)
    run_flags, count, data_offset = _TRUN.unpack_from(moof, trun.body)
    if (version_flags, run_flags) != (0x01000000, wanted_flags):
        raise Mp4Error("A fragment is not of the kind that our recorder writes.")
    if trun.end - trun.body != _TRUN.size + count * sample.size:
        raise Mp4Error("A fragment's samples do not fit.")
    samples = list(sample.iter_unpack(bytes(moof[trun.body + _TRUN.size : trun.end])))
    if decode_ticks > TICKS_MAX:
        raise Mp4Error("A fragment's decode time makes no sense.")
    return decode_ticks, samples, data_offset
