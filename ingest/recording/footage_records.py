"""A recorder's share of the bucket's journal: gaps, and where a camera's epochs begin. Signed with its identity.

No object holds these facts: `tallenne catalogue rebuild` reads them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.errors import StorageError
from domain.footage import Gap, Segment
from domain.ids import CameraId, RecorderId
from ingest.recording.retry import Gate
from runtime.failpoints import hit
from runtime.problems import Problems
from storage.journal import JournalKind, JournalWriter
from storage.journal.rows import epoch_to_row, gap_to_row

STORE: Final = "store"


class FootageRecords:
    """Never raises for the store: what it does not take is tried again when the gate opens."""

    def __init__(self, writer: JournalWriter, problems: Problems, *, gate: Gate) -> None:
        self._writer, self._problems, self._gate = writer, problems, gate
        self._known: set[tuple[CameraId, RecorderId, int]] = set()
        self._epochs: list[Segment] = []  # first segments of epochs, not written yet

    @property
    def waiting(self) -> bool:
        """Whether the store has just refused a record: the next attempt is not due yet."""
        return self._gate.shut

    async def gaps(self, gaps: Sequence[Gap]) -> bool:
        """Write them down; durable when True. False: call again, with the same or more."""
        if not gaps:
            return True
        rows = [gap_to_row(gap) for gap in gaps]
        written = await self._written(JournalKind.GAP, max(gap.span.end_ns for gap in gaps), rows)
        hit("commit.gaps.recorded")
        return written

    async def epoch(self, segment: Segment) -> None:
        """Write down the first segment of each epoch, before the catalogue gets it; later if the store is away."""
        # Of this process: after a start a camera may be back at an earlier epoch until it has its lease.
        begun = (segment.camera_id, segment.recorder_id, segment.epoch)
        if begun not in self._known:
            self._known.add(begun)
            self._epochs.append(segment)
        while self._epochs:
            first = self._epochs[0]
            if not await self._written(JournalKind.EPOCH, first.span.start_ns, [epoch_to_row(first)]):
                return
            self._epochs.pop(0)

    async def _written(self, kind: JournalKind, at_ns: int, rows: list[dict[str, object]]) -> bool:
        if self._gate.shut:
            return False
        try:
            await self._writer.write(kind, at_ns, rows)
        except StorageError as error:
            self._gate.failed()
            self._problems.note(STORE, error)
            return False
        self._gate.passed()
        self._problems.clear(STORE)
        return True
