"""A camera's footage within a span, and every piece without footage with its cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.records import Records
from api.search.answers import PENDING_NS, GapAnswer, SpanAnswer
from domain.footage import Gap
from domain.ids import CameraId
from domain.time import NS, Span, subtract_spans, to_iso
from runtime import sql
from runtime.database import wrapped_errors

SEAM_NS: Final = 150_000_000
"""Two segments closer than this are shown as one run of footage: less than a few pictures, often a rounded time."""


async def footage_spans(records: Records, camera_ids: Sequence[CameraId], span: Span) -> dict[CameraId, list[Span]]:
    """Runs of live footage within ``span``, by camera and time."""
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.search", "footage_spans"), list(camera_ids), span.start_ns, span.end_ns, SEAM_NS
        )
    found: dict[CameraId, list[Span]] = {}
    for row in rows:
        found.setdefault(CameraId(row["camera_id"]), []).append(Span(row["start_ns"], row["end_ns"]))
    return found


async def first_known(records: Records, camera_id: CameraId) -> int:
    """Return the begin of the camera's first footage or gap; 0: there is neither."""
    with wrapped_errors():
        first_ns: int = await records.pool.fetchval(sql.load("api.search", "first_known"), camera_id)
    return first_ns


def gap_answers(
    span: Span, footage: Sequence[Span], known: Sequence[Gap], now_ns: int, retention_s: int, first_ns: int = 0
) -> list[GapAnswer]:
    """Return the missing parts of ``span`` up to now, with causes. Where footage and a gap overlap, footage counts.

    Without a cause on record it is `pending` while the recorder may still deliver, `expired` after the retention,
    `before` when nothing older is known of the camera, and `unknown` between.
    """
    past = span.clipped_to(Span(span.start_ns, max(span.start_ns, now_ns)))
    if past is None:
        return []
    found: list[tuple[Span, str]] = []
    taken = list(footage)
    for gap in known:
        for piece in subtract_spans(past, taken):
            if part := piece.clipped_to(gap.span):
                found.append((part, gap.cause.value))
        taken.append(gap.span)
    recent = Span(max(past.start_ns, now_ns - PENDING_NS), max(past.end_ns, now_ns))
    kept = Span(max(0, now_ns - retention_s * NS), max(past.end_ns, now_ns))
    before = Span(kept.start_ns, max(kept.start_ns, min(first_ns, now_ns)))
    for piece in subtract_spans(past, taken):
        if piece.duration_ns < SEAM_NS:
            continue
        for early in subtract_spans(piece, [before, recent, kept]):
            found.append((early, "expired"))
        if part := piece.clipped_to(before):
            found.append((part, "before"))
        for rest in subtract_spans(piece, [before]):
            if part := rest.clipped_to(Span(kept.start_ns, max(kept.start_ns, recent.start_ns))):
                found.append((part, "unknown"))
            if late := rest.clipped_to(recent):
                found.append((late, "pending"))
    return [
        GapAnswer(start=to_iso(piece.start_ns), end=to_iso(piece.end_ns), cause=cause) for piece, cause in sorted(found)
    ]


def span_answer(span: Span) -> SpanAnswer:
    """Return a span as RFC 3339 times."""
    return SpanAnswer(start=to_iso(span.start_ns), end=to_iso(span.end_ns))
