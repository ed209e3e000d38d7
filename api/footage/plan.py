"""The segments and fragments that make up a clip. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from api.footage.errors import ClipTooLongError, NoFootageError
from domain.footage import FragmentIndex, Segment
from domain.ids import CameraId, SegmentId
from domain.time import NS, Span

LONGEST_NS: Final = 8 * 3600 * NS
GROUP_MAX_BYTES: Final = 32 << 20
"""A longer group of pictures is delivered in several fragments, so that its memory is bounded."""

_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """The segments to open for a requested span. The true span is known once they are open."""

    camera_id: CameraId
    span: Span
    segments: tuple[Segment, ...]  # by time

    @property
    def shown(self) -> Span:
        """From the key frame at or before the start to the end of the last fragment: what a clip shows of the footage.

        A segment whose row lists no fragments counts whole.
        """
        found = []
        for segment in (self.segments[0], self.segments[-1]):
            cut = None if segment.fragments is None else cut_segment(segment, segment.fragments, self.span)
            found.append(segment.span if cut is None else Span(cut.start_ns, cut.end_ns))
        return Span(found[0].start_ns, max(found[0].end_ns, found[-1].end_ns))

    @property
    def segment_ids(self) -> tuple[SegmentId, ...]:
        """The ids of the plan's segments, by time."""
        return tuple(segment.segment_id for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A run of one segment's fragments: [first, last]."""

    segment: Segment
    index: FragmentIndex
    first: int
    last: int

    @property
    def start_ns(self) -> int:
        """Start of the first fragment."""
        return self.time_of(self.first)

    @property
    def end_ns(self) -> int:
        """End of the last fragment."""
        return self.time_of(self.last + 1)

    def time_of(self, number: int) -> int:
        """Return the start of a fragment, in ns; the segment's end for the index after the last."""
        if number == len(self.index.start_ms):
            return self.segment.span.end_ns
        return self.segment.span.start_ns + self.index.start_ms[number] * _MS

    def groups(self) -> Iterator[tuple[int, int]]:
        """The fragments, as pairs of first and last, from key frame to key frame: each is one fragment of a clip."""
        first, size = self.first, 0
        for number in range(self.first, self.last + 1):
            if number > first and (self.index.key[number] or size + self.index.size[number] > GROUP_MAX_BYTES):
                yield first, number - 1
                first, size = number, 0
            size += self.index.size[number]
        yield first, self.last


def plan_clip(segments: Sequence[Segment], span: Span) -> ClipPlan:
    """NoFootageError when no segment overlaps ``span``; ClipTooLongError beyond eight hours. One camera's segments."""
    if span.duration_ns > LONGEST_NS:
        raise ClipTooLongError("The clip is longer than eight hours.", "Ask for several shorter ones.")
    wanted = tuple(sorted((item for item in segments if item.span.overlaps(span)), key=lambda item: item.span))
    if not wanted:
        raise NoFootageError("There is no footage in this span.", "The camera's timeline shows the gaps and why.")
    if len({item.camera_id for item in wanted}) > 1:
        raise ValueError("a clip is of one camera")
    return ClipPlan(camera_id=wanted[0].camera_id, span=span, segments=wanted)


def begins_with_key(segments: Sequence[Segment], span: Span) -> bool:
    """Whether the first segment that shows ``span`` has the key frame that its first pictures refer to."""
    first = min((item for item in segments if item.span.overlaps(span)), key=lambda item: item.span, default=None)
    return first is None or first.fragments is None or bool(_keys(first, max(span.start_ns, first.span.start_ns)))


def reached_back(segments: Sequence[Segment], span: Span) -> Span:
    """``span`` from the key frame on that its first pictures refer to, in whichever segment that is.

    A segment begins without a key frame after a forced cut, or a step of a clock. ``segments``: also some from before
    ``span``. Where no key frame is found, ``span`` itself.
    """
    shown = min((item.span.start_ns for item in segments if item.span.overlaps(span)), default=span.start_ns)
    until_ns = max(span.start_ns, shown)
    for segment in sorted(segments, key=lambda item: item.span, reverse=True):
        if segment.span.start_ns > until_ns:
            continue
        if segment.fragments is None:
            break
        if keys := _keys(segment, until_ns):
            return Span(min(keys[-1], span.start_ns), span.end_ns)
    return span


def _keys(segment: Segment, until_ns: int) -> list[int]:
    """Return the times of the segment's key frames until then."""
    index = segment.fragments
    if index is None:
        return []
    starts = (segment.span.start_ns + start_ms * _MS for start_ms in index.start_ms)
    return [start_ns for start_ns, key in zip(starts, index.key, strict=True) if key and start_ns <= until_ns]


def cut_segment(segment: Segment, index: FragmentIndex, span: Span) -> Cut | None:
    """The fragments that show ``span``, from the key frame at or before its start; None when there are none."""
    starts = [segment.span.start_ns + start_ms * _MS for start_ms in index.start_ms]
    if not starts:
        return None
    first = 0
    for number, start_ns in enumerate(starts):
        if index.key[number] and start_ns <= span.start_ns:
            first = number
    last = max((number for number, start_ns in enumerate(starts) if start_ns < span.end_ns), default=-1)
    return Cut(segment=segment, index=index, first=first, last=last) if last >= first else None
