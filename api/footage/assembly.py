"""Where each group of pictures lies in a clip, and the clip's head: init and index. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from api.footage.errors import NoFootageError
from api.footage.opened import Opened
from domain.time import NS, Span
from storage.mp4 import GroupPlace, delay_of, merge_inits, parameter_sets, picture_entries, sidx, sound_entries
from storage.mp4.sidx import ENTRIES_MAX, end_mark

TIMESCALE: Final = 90_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fragments [first, last] of one segment, joined to one of the clip, and at which byte of it they begin."""

    opened: Opened
    first: int
    last: int
    at: int
    place: GroupPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A clip before any of its pictures has been read.

    mime: its codecs by RFC 6381
    tail: what follows the last group
    spans: where there is footage, a span for each segment
    """

    head: bytes
    groups: tuple[Group, ...]
    tail: bytes
    spans: tuple[Span, ...]
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Fragments [first, last] of one segment that one fragment of the clip is made of."""

    opened: Opened
    first: int
    last: int

    @property
    def key(self) -> bool:
        return self.opened.cut.index.key[self.first]

    @property
    def span(self) -> Span:
        return Span(self.opened.cut.time_of(self.first), self.opened.cut.time_of(self.last + 1))

    @property
    def size_bytes(self) -> int:
        return sum(self.opened.cut.index.size[self.first : self.last + 1])


def assemble(opened: Sequence[Opened]) -> Assembly:
    """``opened``: by time, with their inits. NoFootageError when none of their pictures can be decoded. Mp4Error."""
    runs = list(
        _decodable(_Run(opened=item, first=first, last=last) for item in opened for first, last in item.cut.groups())
    )
    if not runs:
        raise NoFootageError(
            "The key frame that this footage needs is missing.", "Ask for a span that begins earlier or later."
        )
    span = Span(runs[0].span.start_ns, runs[-1].span.end_ns)
    used = list(dict.fromkeys(run.opened.init for run in runs))
    descriptions = _descriptions(used)
    delays = {init: delay_of(init) for init in used}
    sets = {init: parameter_sets(init) if len(used) > 1 else b"" for init in used}
    numbers = list(dict.fromkeys(descriptions.values()))
    merged = merge_inits(numbers, span.duration_ns / NS, max(delays.values()))

    def ticks(time_ns: int) -> int:
        return (time_ns - span.start_ns) * TIMESCALE // NS

    places = [
        GroupPlace(
            sequence=sequence,
            description_index=numbers.index(descriptions[run.opened.init]) + 1,
            start_ticks=ticks(run.span.start_ns),
            end_ticks=ticks(run.span.end_ns),
            shift_ticks=ticks(run.opened.cut.segment.span.start_ns),
            delay_ticks=delays[run.opened.init],
            clip_delay_ticks=max(delays.values()),
            parameter_sets=(in_band := sets[run.opened.init] if run.key else b""),
            size_bytes=run.size_bytes + len(in_band),
        )
        for sequence, run in enumerate(runs, start=1)
    ]
    index, tail = _index(runs, places, ticks(span.end_ns))
    head = merged + index
    starts = itertools.accumulate((place.size_bytes for place in places), initial=len(head))
    groups = [
        Group(opened=run.opened, first=run.first, last=run.last, at=at, place=place)
        for run, place, at in zip(runs, places, starts, strict=False)
    ]
    mimes = [run.opened.cut.segment.codec.mime for run in runs]
    mime = next((mime for mime in mimes if "," in mime), mimes[0])
    return Assembly(head=head, groups=tuple(groups), tail=tail, spans=_spans(runs), mime=mime)


def _decodable(runs: Iterator[_Run]) -> Iterator[_Run]:
    """Without those that go on from pictures that are not in the clip: they would be shown smeared."""
    end_ns: int | None = None
    for run in runs:
        if run.key or run.span.start_ns == end_ns:
            end_ns = run.span.end_ns
            yield run


def _descriptions(inits: Sequence[bytes]) -> dict[bytes, bytes]:
    """For each init the first one with its codec and its sound, which describes both in the clip.

    One description serves all parameter sets of a codec: they stand before each key frame, where every player looks.
    Fragments of several descriptions are not understood by libav.
    """
    chosen: dict[tuple[bytes, bytes], bytes] = {}
    found = {}
    for init in inits:
        codec = picture_entries(init)[4:8]
        found[init] = chosen.setdefault((codec, sound_entries(init)), init)
    return found


def _index(runs: Sequence[_Run], places: Sequence[GroupPlace], end_ticks: int) -> tuple[bytes, bytes]:
    """The clip's sidx, with an entry for each key frame, and its end mark; nothing when a sidx cannot hold so many."""
    starts = [number for number, run in enumerate(runs) if run.key]
    if len(starts) > ENTRIES_MAX:
        return b"", b""
    sizes = [
        sum(place.size_bytes for place in places[first:after])
        for first, after in itertools.pairwise([*starts, len(places)])
    ]
    times = [*(places[number].start_ticks for number in starts), end_ticks]
    durations = [after - before for before, after in itertools.pairwise(times)]
    return sidx(TIMESCALE, sizes, durations), end_mark(len(places) + 1)


def _spans(runs: Sequence[_Run]) -> tuple[Span, ...]:
    """Of each segment, what is shown of it."""
    grouped = itertools.groupby(runs, key=lambda run: id(run.opened))
    shown = ([run.span for run in found] for _, found in grouped)
    return tuple(Span(spans[0].start_ns, spans[-1].end_ns) for spans in shown)
