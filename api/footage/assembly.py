"""Lays a clip out: the place of each group of pictures, and the head with init and index. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from api.footage.errors import NoFootageError
from api.footage.opened import Opened
from api.footage.plan import GROUP_MAX_BYTES
from domain.time import NS, Span
from storage.mp4 import GroupPlace, delay_of, merge_inits, parameter_sets, picture_entries, sidx, sound_entries
from storage.mp4.sidx import ENTRIES_MAX, end_mark

TIMESCALE: Final = 90_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Fragments [first, last] of one segment. Ticks as in storage/mp4/group.py."""

    opened: Opened
    first: int
    last: int
    shift_ticks: int
    delay_ticks: int

    @property
    def key(self) -> bool:
        """Whether its first picture is a key frame."""
        return self.opened.cut.index.key[self.first]

    @property
    def span(self) -> Span:
        """The time from the group's first picture to the end of its last."""
        return Span(self.opened.cut.time_of(self.first), self.opened.cut.time_of(self.last + 1))

    @property
    def size_bytes(self) -> int:
        """Bytes of the group's fragments as they are stored."""
        return sum(self.opened.cut.index.size[self.first : self.last + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A fragment of the clip, its byte offset, and the fragments of which it is joined."""

    parts: tuple[Part, ...]
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


def assemble(opened: Sequence[Opened]) -> Assembly:
    """``opened``: by time, with their inits. NoFootageError when none of their pictures can be decoded. Mp4Error."""
    start_ns = next((part.span.start_ns for item in opened for part in _parts(item, 0) if part.key), None)
    if start_ns is None:
        raise NoFootageError(
            "The key frame that this footage needs is missing.", "Ask for a span that begins earlier or later."
        )
    joined = _joined(part for item in opened for part in _parts(item, start_ns))
    end_ns = joined[-1][-1].span.end_ns
    inits = list(dict.fromkeys(parts[0].opened.init for parts in joined))
    descriptions = _descriptions(inits)
    described = list(dict.fromkeys(descriptions.values()))
    delay_ticks = max(part.delay_ticks for parts in joined for part in parts)
    places = [
        GroupPlace(
            sequence=sequence,
            description_index=described.index(descriptions[parts[0].opened.init]) + 1,
            start_ticks=_ticks(parts[0].span.start_ns - start_ns),
            end_ticks=_ticks(parts[-1].span.end_ns - start_ns),
            delay_ticks=delay_ticks,
            parameter_sets=(sets := parameter_sets(parts[0].opened.init) if len(inits) > 1 and parts[0].key else b""),
            size_bytes=sum(part.size_bytes for part in parts) + len(sets),
        )
        for sequence, parts in enumerate(joined, start=1)
    ]
    index, tail = _index(joined, places)
    head = merge_inits(described, (end_ns - start_ns) / NS, delay_ticks) + index
    starts = itertools.accumulate((place.size_bytes for place in places), initial=len(head))
    groups = tuple(
        Group(parts=parts, at=at, place=place) for parts, place, at in zip(joined, places, starts, strict=False)
    )
    mimes = [parts[0].opened.cut.segment.codec.mime for parts in joined]
    mime = next((mime for mime in mimes if "," in mime), mimes[0])
    return Assembly(head=head, groups=groups, tail=tail, spans=_spans(joined), mime=mime)


def _ticks(duration_ns: int) -> int:
    return duration_ns * TIMESCALE // NS


def _parts(opened: Opened, clip_start_ns: int) -> Iterator[Part]:
    """A segment's fragments, from key frame to key frame."""
    shift_ticks = _ticks(opened.cut.segment.span.start_ns - clip_start_ns)
    delay_ticks = delay_of(opened.init)
    for first, last in opened.cut.groups():
        yield Part(opened=opened, first=first, last=last, shift_ticks=shift_ticks, delay_ticks=delay_ticks)


def _joined(parts: Iterator[Part]) -> list[tuple[Part, ...]]:
    """Join what becomes one fragment of the clip: a key frame with all that follows, also in later segments.

    Leaves out fragments that refer to pictures outside of the clip: they would be shown with errors.
    """
    joined: list[tuple[Part, ...]] = []
    size_bytes = 0
    for part in parts:
        follows = bool(joined) and part.span.start_ns == joined[-1][-1].span.end_ns
        if not part.key and follows and size_bytes + part.size_bytes <= GROUP_MAX_BYTES:
            joined[-1] = (*joined[-1], part)
            size_bytes += part.size_bytes
        elif part.key or follows:
            joined.append((part,))
            size_bytes = part.size_bytes
    return joined


def _descriptions(inits: Sequence[bytes]) -> dict[bytes, bytes]:
    """Map each init to the first one with the same codec and sound, which describes both in the clip.

    One description serves all parameter sets of a codec, since they precede each key frame in the stream. libav cannot
    read fragments with several descriptions.
    """
    chosen: dict[tuple[bytes, bytes], bytes] = {}
    found = {}
    for init in inits:
        codec = picture_entries(init)[4:8]
        found[init] = chosen.setdefault((codec, sound_entries(init)), init)
    return found


def _index(joined: Sequence[Sequence[Part]], places: Sequence[GroupPlace]) -> tuple[bytes, bytes]:
    """Return the clip's sidx, with an entry for each fragment, and its end mark.

    Empty when there are too many fragments for a sidx, or when a group is so long that it has several fragments: libav
    fails when a fragment is not in the index. Without an index it first reads the head of every fragment.
    """
    if len(joined) > ENTRIES_MAX or not all(parts[0].key for parts in joined):
        return b"", b""
    times = [*(place.start_ticks for place in places), places[-1].end_ticks]
    durations = [after - before for before, after in itertools.pairwise(times)]
    return sidx(TIMESCALE, [place.size_bytes for place in places], durations), end_mark(len(places) + 1)


def _spans(joined: Sequence[Sequence[Part]]) -> tuple[Span, ...]:
    """Return the span that is shown of each segment."""
    parts = (part for parts in joined for part in parts)
    grouped = itertools.groupby(parts, key=lambda part: id(part.opened))
    shown = ([part.span for part in found] for _, found in grouped)
    return tuple(Span(spans[0].start_ns, spans[-1].end_ns) for spans in shown)
