"""Time that a power cut took from a recorder without ``fsync``: footage that was accepted, and is in no file any more.

The catalogue says what of a camera's time is accounted for, the spool what it holds beside that, the position where
this run begins. What of the hour before neither accounts for becomes a gap: what was written longer ago has reached the
disk by itself. A gap takes no time that is accounted for after all (commit_gaps()).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import RetryableError
from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import HOUR_NS, Span, subtract_spans
from ingest.spool.errors import SpoolError
from ingest.spool.spool import Pending, Spool
from storage.catalogue import Catalogue


def recent_footage(spool: Spool, waiting: Sequence[Pending]) -> dict[CameraId, list[Span]]:
    """Return the spans of the newest hour of ``waiting``, which is sorted.

    Damaged files count, as far as they say what they were: the uploader records a gap for them.
    """
    found: dict[CameraId, list[Span]] = {}
    for pending in waiting:
        if pending.place.start_ns < waiting[-1].place.start_ns - HOUR_NS:
            continue
        footage = spool.span_of(pending)
        with contextlib.suppress(SpoolError):
            metadata = spool.metadata_of(pending)
            if metadata.ending is not None:
                footage = metadata.beginning.camera_id, Span(metadata.beginning.start_ns, metadata.ending.end_ns)
        if footage is not None:
            found.setdefault(footage[0], []).append(footage[1])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a camera's recording found at its start."""

    until_ns: int  # from here on time is accounted for by this run
    known: bool  # the position was there; else ``until_ns`` is the start itself, or the first thing found
    held: Sequence[Span]  # by the spool: footage, and gaps

    def looked_at(self, accounted_ns: int | None) -> Span | None:
        """Return the span in which time may be lost. accounted_ns: until when the catalogue accounts for time at all.

        Where the position is gone that may be long ago. None: it never has.
        """
        last_ns = self.until_ns if self.known else accounted_ns
        return None if last_ns is None else Span(min(last_ns, self.until_ns) - HOUR_NS, self.until_ns)

    def holes(self, span: Span, accounted: Sequence[Span]) -> list[Span]:
        """Return what nothing accounts for, from the first thing known within ``span`` on."""
        found = sorted([*self.held, *accounted])
        first_ns = min((one.end_ns for one in found if one.overlaps(span)), default=span.end_ns)
        return subtract_spans(Span(first_ns, span.end_ns), found) if first_ns < span.end_ns else []


class LostTime:
    """Call ``resumed()`` for each camera, and ``look()`` again and again: the database may be away at the start."""

    def __init__(
        self,
        spool: Spool,
        catalogue: Catalogue,
        recent: Mapping[CameraId, Sequence[Span]],
        gaps_wait: Callable[[], None],
    ) -> None:
        """``recent``: of ``recent_footage()`` before anything was uploaded."""
        self._spool, self._catalogue, self._recent, self._gaps_wait = spool, catalogue, recent, gaps_wait
        self._waiting: dict[CameraId, Resumed] = {}

    def resumed(self, camera_id: CameraId, until_ns: int, gaps: Sequence[Span], *, known: bool) -> None:
        """Note a camera whose recording goes on. ``gaps``: those the spool holds, and footage not recovered yet."""
        held = [*self._recent.get(camera_id, ()), *gaps]
        self._waiting[camera_id] = Resumed(until_ns=until_ns, known=known, held=held)

    async def look(self) -> None:
        """Record the gaps. DatabaseError; that the database is away, the committer says."""
        waiting = dict(self._waiting)
        if not waiting:
            return
        with contextlib.suppress(RetryableError):
            lost_by = {camera_id: one.until_ns for camera_id, one in waiting.items() if not one.known}
            last = await self._catalogue.accounted_until(lost_by) if lost_by else {}
            spans = {camera_id: one.looked_at(last.get(camera_id)) for camera_id, one in waiting.items()}
            within = {camera_id: span for camera_id, span in spans.items() if span is not None}
            accounted = await self._catalogue.accounted_spans(within) if within else {}
            for camera_id, one in waiting.items():
                del self._waiting[camera_id]
                if camera_id in within:
                    self._fill(camera_id, one.holes(within[camera_id], accounted.get(camera_id, [])))

    def _fill(self, camera_id: CameraId, holes: Sequence[Span]) -> None:
        for hole in holes:
            self._spool.gaps.append(Gap(camera_id=camera_id, span=hole, cause=GapCause.CRASH))
        if holes:
            self._gaps_wait()
