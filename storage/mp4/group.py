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
from collections.abc import Sequence
from dataclasses import dataclass

from storage.mp4.boxes import find
from storage.mp4.errors import Mp4Error
from storage.mp4.moof import TICKS_MAX, Moof, Run, mdat_head, parse_moof, write_moof

_HEAD = struct.Struct(">I4s")
_ROUNDING_TICKS = 180  # the catalogue knows when a fragment starts to the millisecond, and so does a segment's start


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlace:
    """Where a group belongs in a clip. Ticks are the clip's, 90 kHz, since its first picture.

    start_ticks, end_ticks: when its first picture is shown, and when the picture behind the group is
    delay_ticks: by how much the clip's composition offsets are raised; its edit list takes that back
    parameter_sets: put before the key frame; empty for a group that goes on without one
    size_bytes: of the group, padding included
    """

    sequence: int
    description_index: int
    start_ticks: int
    end_ticks: int
    delay_ticks: int
    parameter_sets: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPart:
    """Fragments of one segment, moof and mdat each, in order.

    shift_ticks: from the segment's time to the clip's
    delay_ticks: by how much the segment's composition offsets are raised (its init's edit list)
    """

    fragments: Sequence[memoryview]
    shift_ticks: int
    delay_ticks: int


def join_fragments(parts: Sequence[GroupPart], place: GroupPlace) -> bytes:
    """One fragment of exactly ``place.size_bytes`` bytes with the samples of all. Mp4Error when one is not ours."""
    split = [(part, *_split(item)) for part in parts for item in part.fragments]
    heads = [head for _, head, _ in split]
    data = [item for _, _, item in split]
    shown = [at + part.shift_ticks - part.delay_ticks for part, head, _ in split for at in head.pictures.shown_times]
    pictures = _pictures([head.pictures for head in heads], shown, place)
    sound = _sound([(head.sound, part.shift_ticks) for part, head, _ in split if head.sound and head.sound.sizes])
    payload: list[bytes | memoryview] = [place.parameter_sets]
    payload += [item[: sum(head.pictures.sizes)] for head, item in zip(heads, data, strict=True)]
    payload += [item[sum(head.pictures.sizes) :] for head, item in zip(heads, data, strict=True)]
    moof = write_moof(pictures, sound, sequence=place.sequence, description_index=place.description_index)
    padding = place.size_bytes - len(moof) - _HEAD.size - sum(map(len, payload))
    if padding < 0:
        raise Mp4Error("A group of fragments is longer than its index says.")
    return b"".join((moof, mdat_head(place.size_bytes - len(moof) - _HEAD.size), *payload, bytes(padding)))


def _split(fragment: memoryview) -> tuple[Moof, memoryview]:
    """A fragment's tables, and the contents of its mdat."""
    moof = find(fragment, b"moof")
    parsed = parse_moof(fragment[: moof.end])
    if moof.start or len(fragment) - moof.end != _HEAD.size + parsed.data_bytes:
        raise Mp4Error("A fragment's data does not fit its samples.")
    if _HEAD.unpack_from(fragment, moof.end) != (len(fragment) - moof.end, b"mdat"):
        raise Mp4Error("A fragment has no mdat of ours.")
    return parsed, fragment[moof.end + _HEAD.size :]


def _pictures(runs: Sequence[Run], shown: list[int], place: GroupPlace) -> Run:
    """The runs as one; ``shown``: when each picture is, on the clip's timeline.

    The first picture is shown exactly when the clip's index says.
    """
    first = min(shown)
    if abs(first - place.start_ticks) > _ROUNDING_TICKS or max(shown) > TICKS_MAX:
        raise Mp4Error("A group's pictures are not of the time that its index says.")
    shown[shown.index(first)] = place.start_ticks
    decode = _decode_times(shown, place)
    words = [word for run in runs for word in run.words]
    words[::4] = [after - before for before, after in itertools.pairwise(decode)]
    words[1] += len(place.parameter_sets)
    words[3::4] = [at - ticks + place.delay_ticks for at, ticks in zip(shown, decode, strict=False)]
    return Run(decode_ticks=decode[0], words=tuple(words))


def _decode_times(shown: Sequence[int], place: GroupPlace) -> list[int]:
    """When each picture is decoded, in decode order, and when the next group's first is.

    A picture is decoded for as long as it is shown: browsers and GStreamer take a sample's duration, which is the
    distance of decode times, for that of its picture when they look for the one that a time falls into. With B-frames
    at an uneven rate it is not, unless we make it so. As far as the clip's delay allows: no picture is decoded after it
    is shown.
    """
    order = sorted(shown)
    ends = dict(zip(order, [*order[1:], place.end_ticks], strict=True))
    lasts = (max(1, ends[at] - at) for at in shown)
    decode = list(itertools.accumulate(lasts, initial=place.start_ticks))
    decode[-1] = max(place.end_ticks, order[-1] + 1)
    for number in range(len(shown) - 1, 0, -1):
        decode[number] = min(decode[number], shown[number] + place.delay_ticks, decode[number + 1] - 1)
    return list(itertools.accumulate(decode, lambda before, ticks: max(before + 1, ticks)))


def _sound(runs: Sequence[tuple[Run, int]]) -> Run | None:
    """The runs as one, each moved by its shift to the clip's time. A frame lasts until the next one begins.

    Sound may begin up to a frame before the pictures.
    """
    if not runs:
        return None
    begins = [max(0, ticks + shift) for run, shift in runs for ticks in run.decode_times[:-1]]
    begins = list(itertools.accumulate(begins, lambda before, ticks: max(before + 1, ticks)))
    ends = [*begins[1:], begins[-1] + runs[-1][0].durations[-1]]
    words = [word for run, _ in runs for word in run.words]
    words[::2] = [after - before for before, after in zip(begins, ends, strict=True)]
    return Run(decode_ticks=begins[0], words=tuple(words), width=2)
