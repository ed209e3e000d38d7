"""Orders to erase footage before its time: one person asks, another one approves, refuses, or the first takes it back.

The custodian checks the sessions itself. Approval decides under the cameras' locks, and whatever keeps the footage
forbids it: a hold, a restriction, a clip of an open case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from custodian.asking import Asker, allowed_staff, entry_of
from custodian.errors import CustodianMisuseError
from domain.ids import CameraId, MemberId, new_id
from domain.time import DAY_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import audit

_PACKAGE: Final = "custodian.erasure"
SPAN_MAX_NS: Final = 31 * DAY_NS
CAMERAS_MAX: Final = 64
_REASON_MAX: Final = 2000
Place = tuple[CameraId, Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewErasure:
    """What is to be erased: a span of cameras, or whatever is tagged with a member."""

    reason: str
    cameras: Sequence[CameraId] = ()
    span: Span | None = None
    member_id: MemberId | None = None


class Orders:
    """Each method raises LookRefusedError when the session may not, at one of the cameras."""

    def __init__(self, pool: asyncpg.Pool, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._clock_ns = pool, clock_ns

    async def ask(self, new: NewErasure, asker: Asker) -> UUID:
        """The first person's word, on record; the order's id. CustodianMisuseError: there is nothing to erase."""
        places = await self._places(new)
        erasure_id, now_ns = new_id(), self._clock_ns()
        columns = (
            [camera_id for camera_id, _ in places],
            [span.start_ns for _, span in places],
            [span.end_ns for _, span in places],
        )
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                staff_id = await allowed_staff(conn, asker, "erase", _cameras(places), now_ns)
                query = sql.load(_PACKAGE, "erasure_ask")
                await conn.execute(query, erasure_id, new.reason, new.member_id, *columns, staff_id, now_ns)
                detail = {"erasure_id": str(erasure_id), "spans": len(places)}
                entry = entry_of(asker, staff_id, "erasure_asked", detail, member_id=new.member_id, **_where(places))
                await audit.append_in(conn, entry, now_ns)
        return erasure_id

    async def approve(self, erasure_id: UUID, asker: Asker) -> int:
        """The second person's word: how many segments are erased by it. Nothing takes it back.

        CustodianMisuseError: it does not wait, it is the person's own, or something keeps the footage; which and why.
        """
        places = await self._found(erasure_id)
        now_ns = self._clock_ns()
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                staff_id = await allowed_staff(conn, asker, "erase_approve", _cameras(places), now_ns)
                values = erasure_id, staff_id, now_ns
                segments = await conn.fetchval(sql.load(_PACKAGE, "erasure_approve"), *values)
                if segments is not None:
                    detail = {"erasure_id": str(erasure_id), "segments": segments}
                    entry = entry_of(asker, staff_id, "erasure_approved", detail, **_where(places))
                    await audit.append_in(conn, entry, now_ns)
        if segments is None:
            raise await self._why_not(places)
        hit("erasure.approved")
        return int(segments)

    async def refuse(self, erasure_id: UUID, asker: Asker) -> None:
        """A second person says no. CustodianMisuseError: it does not wait any more, or it is the person's own."""
        refused = CustodianMisuseError("The order does not wait any more, or it is your own.", "Look at it again.")
        await self._turn(erasure_id, asker, "erase_approve", "erasure_refuse", "erasure_refused", refused)

    async def cancel(self, erasure_id: UUID, asker: Asker) -> None:
        """The asker takes it back. CustodianMisuseError: it does not wait any more, or is not the person's own."""
        refused = CustodianMisuseError("The order does not wait any more, or it is not yours.", "Look at it again.")
        await self._turn(erasure_id, asker, "erase", "erasure_cancel", "erasure_cancelled", refused)

    async def _turn(
        self, erasure_id: UUID, asker: Asker, right: str, query: str, action: str, refused: CustodianMisuseError
    ) -> None:
        places = await self._found(erasure_id)
        now_ns = self._clock_ns()
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                staff_id = await allowed_staff(conn, asker, right, _cameras(places), now_ns)
                if not await conn.fetchval(sql.load(_PACKAGE, query), erasure_id, staff_id, now_ns):
                    raise refused
                detail = {"erasure_id": str(erasure_id)}
                entry = entry_of(asker, staff_id, action, detail, **_where(places))
                await audit.append_in(conn, entry, now_ns)

    async def _found(self, erasure_id: UUID) -> list[Place]:
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "erasure_find"), erasure_id)
        if row is None:
            raise CustodianMisuseError("There is no such order.", "Look at the list again.")
        spans = map(Span, row["start_ns"], row["end_ns"])
        return list(zip(map(CameraId, row["camera_ids"]), spans, strict=True))

    async def _places(self, new: NewErasure) -> list[Place]:
        if not 0 < len(new.reason.strip()) <= _REASON_MAX:
            raise CustodianMisuseError("The order gives no reason.", f"Write one of at most {_REASON_MAX} characters.")
        if new.member_id is not None:
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "spans_of_member"), new.member_id)
            found = [(CameraId(row["camera_id"]), Span(row["start_ns"], row["end_ns"])) for row in rows]
            if not found:
                raise CustodianMisuseError("No footage that is kept is tagged with this member.")
        else:
            found = [(camera_id, self._checked(new.span)) for camera_id in dict.fromkeys(new.cameras)]
            if not 0 < len(found) <= CAMERAS_MAX:
                raise CustodianMisuseError(f"An order names between 1 and {CAMERAS_MAX} cameras.")
        return [(camera_id, piece) for camera_id, span in found for piece in _days(span)]

    def _checked(self, span: Span | None) -> Span:
        if span is None or span.duration_ns > SPAN_MAX_NS:
            raise CustodianMisuseError("An order names a span of 31 days at most.", "Order the rest separately.")
        if span.end_ns > self._clock_ns():
            raise CustodianMisuseError("The span lies in the future.", "Order what has been recorded.")
        return span

    async def _why_not(self, places: Sequence[Place]) -> CustodianMisuseError:
        columns = (
            [camera_id for camera_id, _ in places],
            [span.start_ns for _, span in places],
            [span.end_ns for _, span in places],
        )
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "erasure_blocks"), *columns)
        if not rows:
            return CustodianMisuseError(
                "The order does not wait any more, or it is your own or of an account in one hand with yours.",
                "Ask a colleague whose account is older.",
            )
        cases = "; ".join(f"case {row['number']} ({row['reason']})" for row in rows[:5])
        return CustodianMisuseError(
            f"The footage is kept: {cases}.",
            "Nothing is erased until two people have ended the case, or the order names less.",
        )


def _cameras(places: Sequence[Place]) -> list[CameraId]:
    return list(dict.fromkeys(camera_id for camera_id, _ in places))


def _where(places: Sequence[Place]) -> dict[str, Any]:
    """Camera and span of an audit entry: the one camera, and from the first to the last time."""
    cameras = _cameras(places)
    whole = Span(min(span.start_ns for _, span in places), max(span.end_ns for _, span in places))
    return {"camera_id": cameras[0] if len(cameras) == 1 else None, "span": whole}


def _days(span: Span) -> list[Span]:
    """In pieces of a day at most, as searches by span expect them."""
    starts = range(span.start_ns, span.end_ns, DAY_NS)
    return [Span(start_ns, min(start_ns + DAY_NS, span.end_ns)) for start_ns in starts]
