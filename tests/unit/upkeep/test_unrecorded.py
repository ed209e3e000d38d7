"""The time in which footage was stored without a row spans what was restored, and nothing else."""

from __future__ import annotations

from domain.time import NS, Span
from upkeep.inspection.restore import Restored, RestoreOutcome
from upkeep.unrecorded import StoredTime


def test_stored_time_spans_restored_objects_alone() -> None:
    stored = StoredTime()
    assert stored.span is None
    for written_ns, restored in ((50, Restored.ROW), (20, Restored.SHADOW), (5, Restored.QUARANTINED)):
        stored.add(written_ns, RestoreOutcome(name="x", restored=restored))
    stored.add(90, RestoreOutcome(name="x", restored=Restored.KNOWN))
    assert stored.span == Span(20, 50 + NS)
