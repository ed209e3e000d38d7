"""Reads and writes segments, gaps and published keys. Every method raises the database errors of runtime/errors.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from domain.footage import Gap, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import Span, day_of
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.commit import Commit, commit_row
from storage.catalogue.rows import (
    gap_from_row,
    gap_pieces,
    joined_gaps,
    segment_from_row,
)

_PACKAGE = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class HourKeyRow:
    """A published hour key, as the database returns it. HourKeyCache verifies its signature."""

    hour_key_id: HourKeyId
    serial: int
    site_id: SiteId
    camera_id: CameraId
    hour_ns: int
    public_key: bytes
    state: str
    signature: bytes


class Catalogue:
    """Rows of segments, gaps and published keys, over a pool that the caller owns."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._days: set[int] = set()  # days whose partition is known to exist; a few hundred at most

    async def commit_segment(self, segment: Segment) -> Commit:
        """Add the row of a stored and verified object, and notify the indexer, in one transaction. Repeatable.

        SegmentConflictError, ContestedIdError: the id exists with another size or hash. LeaseNotHeldError.
        """
        day = day_of(segment.span.start_ns)
        with wrapped_errors():
            async with self._pool.acquire() as conn:
                if day not in self._days:
                    await conn.execute(sql.load(_PACKAGE, "ensure_segment_day"), day)
                    self._days.add(day)
                return await commit_row(conn, segment)

    async def commit_gaps(self, gaps: Iterable[Gap]) -> None:
        """Add gaps in one transaction, without time that footage or another gap accounts for. Repeatable."""
        pieces = [piece for gap in gaps for piece in gap_pieces(gap)]
        columns = (
            [piece.camera_id for piece in pieces],
            [piece.span.start_ns for piece in pieces],
            [piece.span.end_ns for piece in pieces],
            [piece.cause.value for piece in pieces],
            [piece.detail for piece in pieces],
        )
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "commit_gaps"), *columns)

    async def accounted_until(self, before_ns: Mapping[CameraId, int]) -> dict[CameraId, int]:
        """By camera: the end of the last footage or gap that began before this time; none where there is none."""
        query = sql.load(_PACKAGE, "accounted_until")
        with wrapped_errors():
            rows = await self._pool.fetch(query, list(before_ns), list(before_ns.values()))
        return {CameraId(row["camera_id"]): row["end_ns"] for row in rows}

    async def accounted_spans(self, within: Mapping[CameraId, Span]) -> dict[CameraId, list[Span]]:
        """By camera: what of a span footage, removed or not, or gaps account for; sorted, joined, not cut to it."""
        columns = [span.start_ns for span in within.values()], [span.end_ns for span in within.values()]
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "accounted_spans"), list(within), *columns)
        found: dict[CameraId, list[Span]] = {}
        for row in rows:
            found.setdefault(CameraId(row["camera_id"]), []).append(Span(row["start_ns"], row["end_ns"]))
        return found

    async def take_leases(self, camera_ids: Sequence[CameraId], recorder_id: RecorderId) -> dict[CameraId, int]:
        """Return the leases that the recorder holds of these cameras now; none for a recorder that is not enrolled.

        The newest lease of a camera that is another recorder's is followed by one of this recorder's. Repeatable.
        """
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "take_leases"), list(camera_ids), recorder_id)
        return {CameraId(row["camera_id"]): row["lease"] for row in rows}

    async def segments(self, camera_ids: Sequence[CameraId], span: Span) -> list[Segment]:
        """Return the live segments that overlap ``span``, sorted by camera and time."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "segments"), list(camera_ids), span.start_ns, span.end_ns)
        return [segment_from_row(row) for row in rows]

    async def segment(self, segment_id: SegmentId) -> Segment | None:
        """Return one segment, in any state, or None."""
        with wrapped_errors():
            async with self._pool.acquire() as conn:
                start_ns = await conn.fetchval(sql.load(_PACKAGE, "segment_start"), segment_id)
                if start_ns is None:
                    return None
                row = await conn.fetchrow(sql.load(_PACKAGE, "segment"), segment_id, start_ns)
        return None if row is None else segment_from_row(row)

    async def gaps(self, camera_ids: Sequence[CameraId], span: Span) -> list[Gap]:
        """Return the gaps that overlap ``span``, not cut to it, sorted by camera and time.

        Pieces of one gap, which the table stores per day, are joined.
        """
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "gaps"), list(camera_ids), span.start_ns, span.end_ns)
        return joined_gaps(gap_from_row(row) for row in rows)

    async def published_hour_keys(
        self, camera_ids: Sequence[CameraId], from_ns: int, above_serial: int = -1
    ) -> list[HourKeyRow]:
        """Return the published keys of hours from ``from_ns`` on, sorted by camera, hour and serial.

        Their signatures are not verified yet. ``above_serial``: only what was made after the key of this serial.
        """
        query = sql.load(_PACKAGE, "published_hour_keys")
        with wrapped_errors():
            rows = await self._pool.fetch(query, list(camera_ids), from_ns, above_serial)
        return [
            HourKeyRow(
                hour_key_id=HourKeyId(row["hour_key_id"]),
                serial=row["serial"],
                site_id=SiteId(row["site_id"]),
                camera_id=CameraId(row["camera_id"]),
                hour_ns=row["hour_ns"],
                public_key=row["public_key"],
                state=row["state"],
                signature=row["signature"],
            )
            for row in rows
        ]
