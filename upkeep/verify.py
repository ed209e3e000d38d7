"""`tallenne verify`: every object of a span read, authenticated, held against its row, its neighbours, its signer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

import asyncpg

from domain.footage import Segment
from domain.ids import CameraId, SegmentId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.recorders import Recorders
from storage.catalogue.rows import segment_from_row
from storage.claims import as_signed
from storage.sealed import PayloadKey, object_name_of
from storage.sealed.format import ZERO_HASH
from storage.store import ObjectStore
from storage.store.errors import StoreAwayError
from upkeep.inspection import BadObjectError, Break, ChainWatch, Flaw, Inspected, inspect_object, read_recorders
from upkeep.inspection.objects import trailer_hash
from upkeep.inspection.rows import differing_columns

_PACKAGE: Final = "upkeep"
_PAGE: Final = 500
_AT_ONCE: Final = 4
_LISTED: Final = 10_000
_TRIES: Final = 5
_NO_ID: Final = UUID(int=0)


class SegmentOpener(Protocol):
    """The part of the custodian's client that `tallenne verify` needs."""

    async def open_for_verify(self, segment_ids: Collection[SegmentId]) -> dict[SegmentId, PayloadKey]:
        """Return the payload keys of those segments that open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BadSegment:
    """A segment whose object does not agree with its row, its signature or its contents."""

    segment_id: SegmentId
    camera_id: CameraId
    start_ns: int
    flaw: Flaw
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A break in a chain, and the cause of the gap that lies before it, if there is one."""

    found: Break
    gap: str | None


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What was found. ``bad`` and ``breaks`` list the first ten thousand, the counts count all."""

    objects: int = 0  # rows looked at, live and shadow
    bytes: int = 0
    frames: int = 0
    fragments: int = 0
    recovered: int = 0
    shadows: int = 0
    cameras: int = 0
    bad_count: int = 0
    bad: list[BadSegment] = field(default_factory=list)
    unexplained_breaks: int = 0
    breaks: list[Explained] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every object held and no break in a chain is unexplained."""
        return not self.bad_count and not self.unexplained_breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProgress:
    """How much has been read, and how much there is."""

    objects: int
    objects_in_all: int
    bytes: int
    bytes_in_all: int


async def verify(
    pool: asyncpg.Pool,
    store: ObjectStore,
    custodian: SegmentOpener,
    *,
    camera_ids: Sequence[CameraId] | None,
    span: Span,
    progress: Callable[[VerifyProgress], None] = lambda _: None,
) -> VerifyReport:
    """Every live and shadow segment that overlaps ``span``; ``camera_ids`` None: of all cameras.

    On record at the custodian, which must allow this user. Raises what database, store or custodian raise when they
    do not answer; a short absence of the store is waited out.
    """
    work = _Verify(pool, store, custodian, await read_recorders(pool), progress)
    started_s = time.monotonic()
    await work.run(None if camera_ids is None else list(camera_ids), span)
    work.report.seconds = time.monotonic() - started_s
    return work.report


class _Verify:
    def __init__(
        self,
        pool: asyncpg.Pool,
        store: ObjectStore,
        custodian: SegmentOpener,
        recorders: Recorders,
        progress: Callable[[VerifyProgress], None],
    ) -> None:
        self._pool, self._store, self._custodian, self._recorders = pool, store, custodian, recorders
        self._progress = progress
        self._chains: dict[CameraId, ChainWatch] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._in_all = (0, 0)
        self.report = VerifyReport()

    async def run(self, cameras: list[CameraId] | None, span: Span) -> None:
        """Verify the segments page by page, in the order of their chains."""
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "verify_count"), cameras, span.start_ns, span.end_ns)
        self._in_all = (row["objects"], row["bytes"])
        async for page in self._pages(cameras, span):
            keys = await self._custodian.open_for_verify([segment.segment_id for segment in page])
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(item, keys.get(item.segment_id))) for item in page]
            for segment, task in zip(page, tasks, strict=True):
                await self._chain(segment, task.result())
        for chain in self._chains.values():
            await self._note_breaks(chain.finish())
        self.report.cameras = len(self._chains)

    async def _pages(self, cameras: list[CameraId] | None, span: Span) -> AsyncIterator[list[Segment]]:
        after_ns, after_id = span.start_ns - 1_000_000_000_000, _NO_ID
        while True:
            with wrapped_errors():
                rows = await self._pool.fetch(
                    sql.load(_PACKAGE, "verify_page"), cameras, span.start_ns, span.end_ns, after_ns, after_id, _PAGE
                )
            if not rows:
                return
            after_ns, after_id = rows[-1]["start_ns"], rows[-1]["segment_id"]
            yield [as_signed(segment_from_row(row), rewrapped=row["rewrapped"]) for row in rows]

    async def _one(self, segment: Segment, key: PayloadKey | None) -> Inspected | None:
        report = self.report
        async with self._gate:
            try:
                found = await _patiently(lambda: self._inspected(segment, key))
            except BadObjectError as error:
                self._bad(segment, error)
                found = None
        report.objects += 1
        report.bytes += segment.size_bytes
        report.recovered += segment.recovered
        report.shadows += segment.state == "shadow"
        if found is not None and found.walked is not None:
            report.frames += found.walked.frames
            report.fragments += len(found.walked.index.offset)
        self._progress(
            VerifyProgress(
                objects=report.objects,
                objects_in_all=self._in_all[0],
                bytes=report.bytes,
                bytes_in_all=self._in_all[1],
            )
        )
        return found

    async def _inspected(self, segment: Segment, key: PayloadKey | None) -> Inspected:
        name = object_name_of(segment)
        info = await self._store.stat(name)
        if info is None:
            raise BadObjectError(Flaw.MISSING)
        if info.size_bytes != segment.size_bytes:
            raise BadObjectError(Flaw.SIZE, f"{info.size_bytes} bytes, the row says {segment.size_bytes}")
        found = await inspect_object(self._store, name, segment.size_bytes, self._recorders, key)
        differing = differing_columns(segment, found)
        if differing:
            flaw = Flaw.HASH if differing == ["sha256"] else Flaw.ROW
            raise BadObjectError(flaw, ", ".join(differing))
        if key is None:
            raise BadObjectError(Flaw.KEY)
        return found

    def _bad(self, segment: Segment, error: BadObjectError) -> None:
        self.report.bad_count += 1
        if len(self.report.bad) < _LISTED:
            self.report.bad.append(
                BadSegment(
                    segment_id=segment.segment_id,
                    camera_id=segment.camera_id,
                    start_ns=segment.span.start_ns,
                    flaw=error.flaw,
                    detail=error.detail,
                )
            )

    # -- Chains

    async def _chain(self, segment: Segment, found: Inspected | None) -> None:
        chain = self._chains.get(segment.camera_id)
        if chain is None:
            chain = self._chains[segment.camera_id] = await self._chain_before(segment)
        if found is None:
            await self._remember(chain, segment)  # it is bad, but it was there: what follows it is no further break
            return
        previous_sha256 = found.trailer.previous_sha256
        anew = previous_sha256 == ZERO_HASH and await self._has_earlier(segment)
        await self._note_breaks(
            chain.add(segment.segment_id, segment.span.start_ns, found.trailer_sha256, previous_sha256, anew=anew)
        )

    async def _has_earlier(self, segment: Segment) -> bool:
        with wrapped_errors():
            return bool(
                await self._pool.fetchval(
                    sql.load(_PACKAGE, "verify_earlier"),
                    segment.camera_id,
                    segment.span.start_ns,
                    segment.recorder_id,
                )
            )

    async def _chain_before(self, first: Segment) -> ChainWatch:
        """What lies before the span: the first segment in it follows one of these."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "verify_before"), first.camera_id, first.span.start_ns)
        chain = ChainWatch(first.camera_id)
        for row in rows:
            await self._remember(chain, segment_from_row(row))
        return chain

    async def _remember(self, chain: ChainWatch, segment: Segment) -> None:
        digest = await trailer_hash(self._store, object_name_of(segment), segment.size_bytes)
        if digest is not None:
            chain.remember(digest)

    async def _note_breaks(self, breaks: list[Break]) -> None:
        for item in breaks:
            with wrapped_errors():
                gap = await self._pool.fetchval(sql.load(_PACKAGE, "gap_before"), item.camera_id, item.start_ns)
            self.report.unexplained_breaks += gap is None
            if len(self.report.breaks) < _LISTED:
                self.report.breaks.append(Explained(found=item, gap=gap))


async def _patiently(call: Callable[[], Awaitable[Inspected]]) -> Inspected:
    """A store that is away for a moment does not cost hours of work."""
    for number in range(1, _TRIES):
        try:
            return await call()
        except StoreAwayError:
            await asyncio.sleep(0.5 * 2**number)
    return await call()
