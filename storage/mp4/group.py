"""A group of pictures as one fragment of a clip: a key frame and all that refers to it in one moof and one mdat.

The recorder writes a fragment every half second, so that little is lost when it dies. Players, though, take the start
of each fragment for a place to seek to, and most of those have no key frame there. A clip therefore joins the fragments
from one key frame to the next. The joined tables are shorter than the separate ones by at least a free box, which fills
the difference: a group's size is the sum of its fragments' sizes and of the parameter sets that are put before its key
frame, so that it is known before any footage has been read.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.mp4.boxes import find
from storage.mp4.errors import Mp4Error
from storage.mp4.moof import (
    PICTURE_RUN_FLAGS,
    PICTURE_SAMPLE,
    SOUND_RUN_FLAGS,
    SOUND_SAMPLE,
    TICKS_MAX,
    Moof,
    Run,
    parse_moof,
)

_HEAD = struct.Struct(">I4s")
_TRACK_HEAD = struct.Struct(">I4sI4sIIII4sIQI4sIIi")  # traf, tfhd, tfdt, trun
_TFHD_FLAGS = 0x020002  # default-base-is-moof, sample-description-index-present
_ROUNDING_TICKS = 180  # the catalogue knows when a fragment starts to the millisecond, and so does a segment's start


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlace:
    """Where a group belongs in a clip. Ticks are the clip's, 90 kHz, since its first picture.

    start_ticks, end_ticks: when its first picture is shown, and when the picture behind the group is
    shift_ticks: from the segment's time to the clip's
    delay_ticks: by how much the segment's composition offsets are raised (its init's edit list)
    clip_delay_ticks: the same of the clip, at least as much
    parameter_sets: put before the key frame; empty for a group that goes on without one
    size_bytes: of the group, padding included
    """

    sequence: int
    description_index: int
    start_ticks: int
    end_ticks: int
    shift_ticks: int
    delay_ticks: int
    clip_delay_ticks: int
    parameter_sets: bytes
    size_bytes: int


def join_fragments(fragments: Sequence[memoryview], place: GroupPlace) -> bytes:
    """One fragment of exactly ``place.size_bytes`` bytes with the samples of all. Mp4Error when one is not ours.

    fragments: moof and mdat each, in order, of one segment
    """
    heads, data = zip(*(_split(item) for item in fragments), strict=True)
    pictures = _pictures([head.pictures for head in heads], place)
    sound = _sound([head.sound for head in heads if head.sound is not None and head.sound.sizes], place.shift_ticks)
    payload: list[bytes | memoryview] = [place.parameter_sets]
    payload += [item[: sum(head.pictures.sizes)] for head, item in zip(heads, data, strict=True)]
    payload += [item[sum(head.pictures.sizes) :] for head, item in zip(heads, data, strict=True)]
    moof = b"".join(_moof(pictures, sound, place))
    padding = place.size_bytes - len(moof) - _HEAD.size - sum(map(len, payload))
    if padding < 0:
        raise Mp4Error("A group of fragments is longer than its index says.")
    return b"".join((moof, _HEAD.pack(place.size_bytes - len(moof), b"mdat"), *payload, bytes(padding)))


def _split(fragment: memoryview) -> tuple[Moof, memoryview]:
    """A fragment's tables, and the contents of its mdat."""
    moof = find(fragment, b"moof")
    parsed = parse_moof(fragment[: moof.end])
    if moof.start or len(fragment) - moof.end != _HEAD.size + parsed.data_bytes:
        raise Mp4Error("A fragment's data does not fit its samples.")
    if _HEAD.unpack_from(fragment, moof.end) != (len(fragment) - moof.end, b"mdat"):
        raise Mp4Error("A fragment has no mdat of ours.")
    return parsed, fragment[moof.end + _HEAD.size :]


def _pictures(runs: Sequence[Run], place: GroupPlace) -> Run:
    """The runs as one, on the clip's timeline.

    A fragment's times were rounded on their own, so that two may touch imperfectly: decode times are made to rise, and
    each picture is shown when it was. The first one is shown exactly when the clip's index says.
    """
    decode: list[int] = []
    shown: list[int] = []
    for run in runs:
        times = [ticks + place.shift_ticks for ticks in run.decode_times[:-1]]
        shown += [ticks + offset - place.delay_ticks for ticks, offset in zip(times, run.offsets, strict=True)]
        decode += times
    first = min(shown)
    if abs(first - place.start_ticks) > _ROUNDING_TICKS or decode[-1] > TICKS_MAX:
        raise Mp4Error("A group's pictures are not of the time that its index says.")
    shown[shown.index(first)] = place.start_ticks
    decode[0] = place.start_ticks
    decode = list(itertools.accumulate(decode, lambda before, ticks: max(before + 1, ticks)))
    ends = [*decode[1:], max(place.end_ticks, decode[-1] + 1)]
    sizes = [size for run in runs for size in run.sizes]
    sizes[0] += len(place.parameter_sets)
    return Run(
        decode_ticks=decode[0],
        durations=tuple(after - before for before, after in zip(decode, ends, strict=True)),
        sizes=tuple(sizes),
        flags=tuple(flags for run in runs for flags in run.flags),
        offsets=tuple(at - ticks + place.clip_delay_ticks for at, ticks in zip(shown, decode, strict=True)),
    )


def _sound(runs: Sequence[Run], shift_ticks: int) -> Run | None:
    """The runs as one: a frame lasts until the next one begins. Sound may begin up to a frame before the pictures."""
    if not runs:
        return None
    begins = [max(0, ticks + shift_ticks) for run in runs for ticks in run.decode_times[:-1]]
    begins = list(itertools.accumulate(begins, lambda before, ticks: max(before + 1, ticks)))
    ends = [*begins[1:], begins[-1] + runs[-1].durations[-1]]
    return Run(
        decode_ticks=begins[0],
        durations=tuple(after - before for before, after in zip(begins, ends, strict=True)),
        sizes=tuple(size for run in runs for size in run.sizes),
    )


def _moof(pictures: Run, sound: Run | None, place: GroupPlace) -> Iterator[bytes]:
    """ISO/IEC 14496-12, 8.8. The pictures begin the mdat, the sound follows."""
    samples = list(zip(pictures.durations, pictures.sizes, pictures.flags, pictures.offsets, strict=True))
    heard = list(zip(sound.durations, sound.sizes, strict=True)) if sound else []
    size = 8 + 16 + _TRACK_HEAD.size + PICTURE_SAMPLE.size * len(samples)
    if sound:
        size += _TRACK_HEAD.size + SOUND_SAMPLE.size * len(heard)
    yield struct.pack(">I4sI4sII", size, b"moof", 16, b"mfhd", 0, place.sequence)
    data = size + _HEAD.size
    yield from _track(1, pictures.decode_ticks, data, PICTURE_RUN_FLAGS, PICTURE_SAMPLE, samples, place)
    data += sum(pictures.sizes)
    if sound:
        yield from _track(2, sound.decode_ticks, data, SOUND_RUN_FLAGS, SOUND_SAMPLE, heard, place)


def _track(
    number: int,
    decode_ticks: int,
    data_offset: int,
    run_flags: int,
    sample: struct.Struct,
    samples: Sequence[tuple[int, ...]],
    place: GroupPlace,
) -> Iterator[bytes]:
    """One traf: tfhd, tfdt and a trun."""
    trun = 20 + sample.size * len(samples)
    try:
        yield _TRACK_HEAD.pack(
            *(8 + 20 + 20 + trun, b"traf", 20, b"tfhd", _TFHD_FLAGS, number, place.description_index),
            *(20, b"tfdt", 0x01000000, decode_ticks),
            *(trun, b"trun", run_flags, len(samples), data_offset),
        )
        yield b"".join(itertools.starmap(sample.pack, samples))
    except struct.error as exc:
        raise Mp4Error("A group's times make no sense.") from exc
