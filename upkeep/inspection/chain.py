"""A camera's chain of trailers: each names the one that was signed before it. A segment that vanished leaves a break.

Chained in the order of signing, which is the order of time except for a file that was recovered late. Each recorder,
and each import, begins its own chain. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from domain.ids import CameraId, SegmentId
from storage.sealed.format import ZERO_HASH

_REMEMBERED = 5_000  # trailers per camera: half a day of them
_UNRESOLVED = 1_000


class BreakKind(StrEnum):
    """Kinds of breaks in a chain of trailers."""

    LOST = "lost"  # the segment that the trailer names as its previous one does not exist
    ANEW = "anew"  # it names no previous one although its recorder has earlier segments: a new or damaged spool
    FORK = "fork"  # two trailers name the same previous one


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A break in a camera's chain of trailers, at the segment that does not follow."""

    camera_id: CameraId
    segment_id: SegmentId
    start_ns: int
    kind: BreakKind


@dataclass(frozen=True, slots=True)
class _Link:
    segment_id: SegmentId
    start_ns: int


class ChainWatch:
    """One camera's. ``add()`` its segments by time, ``finish()`` once."""

    def __init__(self, camera_id: CameraId) -> None:
        self._camera_id = camera_id
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._followed: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: OrderedDict[bytes, _Link] = OrderedDict()  # what they follow has not been seen yet
        self._breaks: list[Break] = []

    def remember(self, trailer_sha256: bytes) -> None:
        """A trailer from before the span."""
        self._known[trailer_sha256] = None

    def add(
        self, segment_id: SegmentId, start_ns: int, trailer_sha256: bytes, previous_sha256: bytes, *, anew: bool = False
    ) -> list[Break]:
        """The breaks that are certain by now. ``anew``: it follows nothing although its recorder has earlier ones."""
        link = _Link(segment_id, start_ns)
        if previous_sha256 == ZERO_HASH:
            if anew:
                self._broken(link, BreakKind.ANEW)
        elif previous_sha256 in self._followed:
            self._broken(link, BreakKind.FORK)
        elif previous_sha256 not in self._known:
            self._waiting[previous_sha256] = link
        self._followed[previous_sha256] = None
        self._known[trailer_sha256] = None
        self._waiting.pop(trailer_sha256, None)
        self._forget()
        return self._taken()

    def finish(self) -> list[Break]:
        """Return a LOST break for each segment whose predecessor never appeared."""
        for link in self._waiting.values():
            self._broken(link, BreakKind.LOST)
        self._waiting.clear()
        return self._taken()

    def _forget(self) -> None:
        for held in (self._known, self._followed):
            while len(held) > _REMEMBERED:
                held.popitem(last=False)
        while len(self._waiting) > _UNRESOLVED:
            _, link = self._waiting.popitem(last=False)
            self._broken(link, BreakKind.LOST)

    def _broken(self, link: _Link, kind: BreakKind) -> None:
        self._breaks.append(
            Break(camera_id=self._camera_id, segment_id=link.segment_id, start_ns=link.start_ns, kind=kind)
        )

    def _taken(self) -> list[Break]:
        taken, self._breaks = self._breaks, []
        return taken
