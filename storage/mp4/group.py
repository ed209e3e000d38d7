"""Joins the fragments of a group of pictures, from one key frame to the next, into one fragment of a clip.

The recorder writes a fragment every half second, so that a crash loses little. Players, however, seek to the start of
any fragment, and most fragments do not begin with a key frame. A clip therefore has one fragment per group.

A group's size must be known before its footage is read, since the clip's index comes first: it is the sum of its
fragments' sizes and of the parameter sets that precede its key frame. The joined tables are always shorter than the
separate ones; zeros behind the samples fill the difference.
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
_ROUNDING_TICKS = 180  # 2 ms: catalogue and segment start are both rounded to the millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlace:
    """Where a group belongs in a clip. Ticks are the clip's, 90 kHz, since its first picture.

    start_ticks, end_ticks: presentation time of its first picture, and of the first picture after the group
    delay_ticks: added to the clip's composition offsets; its edit list subtracts it again
    parameter_sets: inserted before the key frame; empty for a group that begins without one
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
    delay_ticks: added to the segment's composition offsets (its init's edit list)
    """

    fragments: Sequence[memoryview]
    shift_ticks: int
    delay_ticks: int


def join_fragments(parts: Sequence[GroupPart], place: GroupPlace) -> bytes:
    """Return one fragment with all samples, ``place.size_bytes`` long. Mp4Error: our recorder did not write a part."""
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
    """Return a fragment's tables and the contents of its mdat."""
    moof = find(fragment, b"moof")
    parsed = parse_moof(fragment[: moof.end])
    if moof.start or len(fragment) - moof.end != _HEAD.size + parsed.data_bytes:
        raise Mp4Error("A fragment's data does not fit its samples.")
    if _HEAD.unpack_from(fragment, moof.end) != (len(fragment) - moof.end, b"mdat"):
        raise Mp4Error("The box behind a fragment's moof is not its mdat.")
    return parsed, fragment[moof.end + _HEAD.size :]


def _pictures(runs: Sequence[Run], shown: list[int], place: GroupPlace) -> Run:
    """Join the runs of pictures. ``shown``: each picture's presentation time on the clip's timeline."""
    first = min(shown)
    if abs(first - place.start_ticks) > _ROUNDING_TICKS or max(shown) > TICKS_MAX:
        raise Mp4Error("A group's pictures do not have the times that its index states.")
    # The clip's index states this time: the group's first picture gets it exactly, without the rounding.
    shown[shown.index(first)] = place.start_ticks
    decode = _decode_times(shown, place)
    words = [word for run in runs for word in run.words]
    # Four words a picture: duration, size, flags, composition offset.
    words[::4] = [after - before for before, after in itertools.pairwise(decode)]
    # The parameter sets become a part of the key frame's sample.
    words[1] += len(place.parameter_sets)
    words[3::4] = [at - ticks + place.delay_ticks for at, ticks in zip(shown, decode, strict=False)]
    return Run(decode_ticks=decode[0], words=tuple(words))


def _decode_times(shown: Sequence[int], place: GroupPlace) -> list[int]:
    """Return the decode time of each picture, in decode order, and that of the next group's first picture.

    Browsers and GStreamer take a sample's duration, the difference of two decode times, for the time that its picture
    is shown, and so choose the picture for a time. With B-frames and an uneven rate the two differ. The decode times
    are therefore made from the presentation durations, as far as the clip's delay allows: no picture may be decoded
    after it is shown.
    """
    order = sorted(shown)
    ends = dict(zip(order, [*order[1:], place.end_ticks], strict=True))
    lasts = (max(1, ends[at] - at) for at in shown)
    decode = list(itertools.accumulate(lasts, initial=place.start_ticks))
    decode[-1] = max(place.end_ticks, order[-1] + 1)
    # Backwards: a picture that is shown early pulls those decoded before it forward.
    for number in range(len(shown) - 1, 0, -1):
        decode[number] = min(decode[number], shown[number] + place.delay_ticks, decode[number + 1] - 1)
    # Forwards: decode times increase strictly, so that no sample has duration 0.
    return list(itertools.accumulate(decode, lambda before, ticks: max(before + 1, ticks)))


def _sound(runs: Sequence[tuple[Run, int]]) -> Run | None:
    """Join the runs of sound, each moved by its shift to the clip's time. A frame lasts until the next one begins."""
    if not runs:
        return None
    # Sound may begin up to a frame before the pictures, and a tfdt cannot be negative (8.8.12).
    begins = [max(0, ticks + shift) for run, shift in runs for ticks in run.decode_times[:-1]]
    begins = list(itertools.accumulate(begins, lambda before, ticks: max(before + 1, ticks)))
    ends = [*begins[1:], begins[-1] + runs[-1][0].durations[-1]]
    words = [word for run, _ in runs for word in run.words]
    words[::2] = [after - before for before, after in zip(begins, ends, strict=True)]
    return Run(decode_ticks=begins[0], words=tuple(words), width=2)
