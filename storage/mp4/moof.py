"""One fragment's moof, as our recorder writes it: pictures, then sound if there is any; one run each."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from storage.mp4.boxes import boxes, find
from storage.mp4.errors import Mp4Error

_TFDT = struct.Struct(">IQ")
_TRUN = struct.Struct(">IIi")
_SAMPLE = struct.Struct(">IIIi")  # duration, size, flags, composition offset
_TRUN_FLAGS = 0x01000F01  # version 1; data offset, duration, size, flags, composition offset
_SOUND_SAMPLE = struct.Struct(">II")  # duration, size
_SOUND_FLAGS = 0x00000301
_NON_SYNC = 0x00010000  # sample_is_non_sync_sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Moof:
    decode_ticks: int  # of its first picture, since the segment's start
    duration_ticks: int
    frames: int
    key: bool  # its first picture is a key frame
    data_bytes: int  # of the mdat's contents


def parse_moof(moof: bytes | memoryview) -> Moof:
    """Mp4Error when it is not one of ours, or does not fit itself."""
    tfdt = find(moof, b"moof", b"traf", b"tfdt")
    trun = find(moof, b"moof", b"traf", b"trun")
    if tfdt.end - tfdt.body != _TFDT.size or trun.end - trun.body < _TRUN.size:
        raise Mp4Error("A fragment's tables do not fit.")
    version_flags, decode_ticks = _TFDT.unpack_from(moof, tfdt.body)
    run_flags, frames, data_offset = _TRUN.unpack_from(moof, trun.body)
    if (version_flags, run_flags) != (0x01000000, _TRUN_FLAGS) or data_offset != len(moof) + 8:
        raise Mp4Error("A fragment is not of the kind that our recorder writes.")
    if frames == 0 or trun.end - trun.body != _TRUN.size + frames * _SAMPLE.size:
        raise Mp4Error("A fragment's samples do not fit.")
    samples = list(_SAMPLE.iter_unpack(bytes(moof[trun.body + _TRUN.size : trun.end])))
    return Moof(
        decode_ticks=decode_ticks,
        duration_ticks=sum(sample[0] for sample in samples),
        frames=frames,
        key=not samples[0][2] & _NON_SYNC,
        data_bytes=sum(sample[1] for sample in samples) + _sound_bytes(moof),
    )


def _sound_bytes(moof: bytes | memoryview) -> int:
    """Of the second track's samples."""
    outer = find(moof, b"moof")
    trafs = [item for item in boxes(moof, outer.body, outer.end) if item.kind == b"traf"]
    if len(trafs) == 1:
        return 0
    tables = {item.kind: item for item in boxes(moof, trafs[1].body, trafs[1].end)}
    trun = tables.get(b"trun")
    if len(trafs) > 2 or trun is None or b"tfdt" not in tables or trun.end - trun.body < _TRUN.size:
        raise Mp4Error("A fragment's second track is not of the kind that our recorder writes.")
    run_flags, frames, _ = _TRUN.unpack_from(moof, trun.body)
    if run_flags != _SOUND_FLAGS or trun.end - trun.body != _TRUN.size + frames * _SOUND_SAMPLE.size:
        raise Mp4Error("A fragment's second track does not fit.")
    return sum(size for _, size in _SOUND_SAMPLE.iter_unpack(bytes(moof[trun.body + _TRUN.size : trun.end])))
