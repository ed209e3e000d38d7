"""Writes and parses the moof of a fragment: a track of pictures, then one of sound if there is any, each with one run.

Both tracks carry their decode time in a tfdt of version 1 and their samples in a single trun. The mdat follows the
moof: all pictures, then all sound (ISO/IEC 14496-12, 8.8).
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import Final, Literal

from storage.mp4.boxes import Box, boxes, find
from storage.mp4.errors import Mp4Error

TICKS_MAX = (1 << 63) - 1
NON_SYNC = 0x00010000  # trun sample flag sample_is_non_sync_sample (ISO/IEC 14496-12, 8.8.3.1)
PICTURE_RUN_FLAGS = 0x01000F01  # version 1; data offset, duration, size, flags, composition offset
SOUND_RUN_FLAGS = 0x00000301  # version 0; data offset, duration, size
PICTURES_TRACK: Final = 1
"""track_ID of the pictures; sound is the next."""

_MOOF_HEAD = struct.Struct(">I4sI4sII")  # moof, mfhd
_TRACK_HEAD = struct.Struct(">I4sI4sIIII4sIQI4sIIi")  # traf, tfhd, tfdt, trun up to its samples
# default-base-is-moof (8.8.7.1): data offsets count from this moof, so that a fragment can be moved as it is.
# sample-description-index: a clip joins segments with different parameter sets.
_TFHD_FLAGS = 0x020002  # the two flags
_TFDT = struct.Struct(">IQ")
_TRUN = struct.Struct(">IIi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The samples of one track in one fragment, in decode order. Ticks are the track's, since the segment's start.

    words: for each picture its duration, size, flags and composition offset; for each frame of sound its duration and
    size, since sound is always a sync sample and presented when it is decoded. Flat, because ``struct.pack()`` takes it
    as it is: one call packs the table of every fragment that is recorded.
    width: words a sample
    """

    decode_ticks: int
    words: tuple[int, ...]
    width: Literal[2, 4] = 4

    @property
    def durations(self) -> tuple[int, ...]:
        """Duration of each sample, in ticks."""
        return self.words[:: self.width]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Size of each sample, in bytes."""
        return self.words[1 :: self.width]

    @property
    def flags(self) -> tuple[int, ...]:
        """Sample flags of each picture (8.8.3.1). Not for sound."""
        return self.words[2::4]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Composition offset of each picture, in ticks. Not for sound."""
        return self.words[3::4]

    @property
    def decode_times(self) -> list[int]:
        """Decode time of each sample, and the end of the last one."""
        return list(itertools.accumulate(self.durations, initial=self.decode_ticks))

    @property
    def shown_times(self) -> list[int]:
        """Presentation time of each picture, before the edit list is applied. Not for sound."""
        return [at + offset for at, offset in zip(self.decode_times, self.offsets, strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moof:
    """A parsed `moof` box: the run of pictures and, where there is sound, its run."""

    pictures: Run
    sound: Run | None

    @property
    def decode_ticks(self) -> int:
        """Decode time of the first picture, since the segment's start."""
        return self.pictures.decode_ticks

    @property
    def duration_ticks(self) -> int:
        """Duration of the pictures, in ticks."""
        return sum(self.pictures.durations)

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return len(self.pictures.words) // 4

    @property
    def key(self) -> bool:
        """Whether the first picture is a key frame."""
        return not self.pictures.flags[0] & NON_SYNC

    @property
    def data_bytes(self) -> int:
        """Size of the mdat's contents: all pictures, then all sound."""
        return sum(self.pictures.sizes) + (sum(self.sound.sizes) if self.sound else 0)


def write_moof(pictures: Run, sound: Run | None = None, *, sequence: int = 1, description_index: int = 1) -> bytes:
    """Return a moof whose mdat follows directly. Mp4Error: a number does not fit its field."""
    runs = (pictures,) if sound is None else (pictures, sound)
    size = _MOOF_HEAD.size + sum(_TRACK_HEAD.size + 4 * len(run.words) for run in runs)
    parts = [_MOOF_HEAD.pack(size, b"moof", 16, b"mfhd", 0, sequence)]
    data_offset = size + 8  # from the start of the moof (default-base-is-moof) to behind the mdat's head
    for track, run in enumerate(runs, start=PICTURES_TRACK):
        count = len(run.words) // run.width
        # Head 8, version and flags 4, sample_count 4, data_offset 4 (8.8.8).
        trun = 20 + 4 * len(run.words)
        flags, sample = (PICTURE_RUN_FLAGS, "IIIi") if run.width == 4 else (SOUND_RUN_FLAGS, "II")
        try:
            parts.append(
                _TRACK_HEAD.pack(
                    *(8 + 20 + 20 + trun, b"traf", 20, b"tfhd", _TFHD_FLAGS, track, description_index),
                    *(20, b"tfdt", 0x01000000, run.decode_ticks),
                    *(trun, b"trun", flags, count, data_offset),
                )
            )
            parts.append(struct.pack(">" + sample * count, *run.words))
        except struct.error as exc:
            raise Mp4Error("A time or size of a fragment exceeds its field.") from exc
        # The sound's data lies behind that of the pictures, in the same mdat.
        if run is not runs[-1]:
            data_offset += sum(run.sizes)
    return b"".join(parts)


def mdat_head(size_bytes: int) -> bytes:
    """Return the head of an mdat with ``size_bytes`` of contents."""
    return struct.pack(">I4s", 8 + size_bytes, b"mdat")


def parse_moof(moof: bytes | bytearray | memoryview) -> Moof:
    """Parse a moof. Mp4Error: our recorder does not write such a one, or its tables exceed it."""
    outer = find(moof, b"moof")
    trafs = [item for item in boxes(moof, outer.body, outer.end) if item.kind == b"traf"]
    if not 1 <= len(trafs) <= 2:
        raise Mp4Error("A fragment has neither one track nor two.")
    pictures, data_offset = _run(moof, trafs[0], 4)
    # Data that lies elsewhere could point outside of the fragment.
    if data_offset != len(moof) + 8 or not pictures.words:
        raise Mp4Error("A fragment is not of the kind that our recorder writes.")
    if len(trafs) == 1:
        return Moof(pictures=pictures, sound=None)
    sound, sound_offset = _run(moof, trafs[1], 2)
    if sound_offset != data_offset + sum(pictures.sizes):
        raise Mp4Error("A fragment's sound does not lie behind its pictures.")
    return Moof(pictures=pictures, sound=sound)


def _run(moof: bytes | bytearray | memoryview, traf: Box, width: Literal[2, 4]) -> tuple[Run, int]:
    """Return the samples of one track and the offset of their data."""
    tables = {item.kind: item for item in boxes(moof, traf.body, traf.end)}
    tfdt, trun = tables.get(b"tfdt"), tables.get(b"trun")
    if tfdt is None or trun is None:
        raise Mp4Error("A fragment's track has no tfdt or no trun.")
    if tfdt.end - tfdt.body != _TFDT.size or trun.end - trun.body < _TRUN.size:
        raise Mp4Error("A fragment's tfdt or trun has another size.")
    version_flags, decode_ticks = _TFDT.unpack_from(moof, tfdt.body)
    run_flags, count, data_offset = _TRUN.unpack_from(moof, trun.body)
    flags, sample = (PICTURE_RUN_FLAGS, "IIIi") if width == 4 else (SOUND_RUN_FLAGS, "II")
    # Exactly the recorder's own form: with other flags the words below would have other meanings.
    if (version_flags, run_flags) != (0x01000000, flags):
        raise Mp4Error("A fragment is not of the kind that our recorder writes.")
    if trun.end - trun.body != _TRUN.size + 4 * width * count:
        raise Mp4Error("A fragment's trun does not hold as many samples as it states.")
    # The field is unsigned; readers, ours among them, compute with signed times.
    if decode_ticks > TICKS_MAX:
        raise Mp4Error("A fragment's decode time exceeds 63 bits.")
    words = struct.unpack_from(">" + sample * count, moof, trun.body + _TRUN.size)
    return Run(decode_ticks=decode_ticks, words=words, width=width), data_offset
