"""Puts on record what is about to be given away: a durable audit entry, and a signed head over it elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import asyncpg

from custodian.audit.signer import HeadSigner
from domain.ids import CameraId
from domain.time import Span
from storage.catalogue import audit

SPANS_MAX: Final = 200
"""Spans of one camera in one entry. Where there are more, the smallest gaps between them are left out."""


class Record:
    """Bound to one database and signer."""

    def __init__(self, pool: asyncpg.Pool, signer: HeadSigner, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._signer, self._clock_ns = pool, signer, clock_ns

    async def append(self, entry: audit.Entry) -> None:
        """Return when the entry is durable and a signed head covers it. Raises what ``HeadSigner.cover()`` does."""
        await self._signer.cover(await audit.append(self._pool, entry, self._clock_ns()))

    async def restore_heads(self, actor: str) -> int:
        """Copy signed heads to the places that lack them, after it is on record; how many."""
        await audit.append(self._pool, audit.Entry(actor=actor, action="heads_restored"), self._clock_ns())
        return await self._signer.restore()


def opened_detail(opened: Iterable[tuple[CameraId, Span]]) -> dict[str, Any]:
    """What keys open, for an entry's detail: their number, the cameras, and the spans of the whole segments."""
    spans: defaultdict[CameraId, list[Span]] = defaultdict(list)
    for camera_id, span in opened:
        spans[camera_id].append(span)
    return {
        "opened": sum(map(len, spans.values())),
        "cameras": sorted(map(str, spans)),
        "spans": {
            str(camera_id): [[span.start_ns, span.end_ns] for span in merged(each)] for camera_id, each in spans.items()
        },
    }


def around(detail: Mapping[str, Any]) -> tuple[CameraId | None, Span | None]:
    """The camera of an ``opened_detail()`` that holds one only, and the span from its first to its last time."""
    if len(detail["spans"]) != 1:
        return None, None
    ((camera_id, spans),) = detail["spans"].items()
    return CameraId(UUID(camera_id)), Span(spans[0][0], spans[-1][1])


def merged(spans: Iterable[Span], limit: int = SPANS_MAX) -> list[Span]:
    """Spans that touch or overlap as one; at most ``limit``, which then cover a little more than was given."""
    ordered = sorted(spans)
    joined: list[Span] = ordered[:1]
    for span in ordered[1:]:
        last = joined[-1]
        if span.start_ns <= last.end_ns:
            joined[-1] = Span(last.start_ns, max(last.end_ns, span.end_ns))
        else:
            joined.append(span)
    if len(joined) <= limit:
        return joined
    gaps = sorted(range(1, len(joined)), key=lambda at: joined[at].start_ns - joined[at - 1].end_ns, reverse=True)
    cuts = [0, *sorted(gaps[: limit - 1]), len(joined)]
    return [Span(joined[a].start_ns, joined[b - 1].end_ns) for a, b in pairwise(cuts)]
