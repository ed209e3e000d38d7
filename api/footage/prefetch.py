"""Fetches sealed bytes of a clip's first segment while the look is being recorded.

They stay sealed: the custodian releases the key only when the look's entry is durable. A refused look leaves them
unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from api.footage.flow import Fetch, Flow
from api.footage.inits import Inits
from api.footage.plan import ClipPlan, cut_segment
from domain.ids import SegmentId
from storage.sealed import RefusedError, object_name_of
from storage.sealed.format import layout_of, parse_header
from storage.store import ObjectStore


class Prefetch:
    """Begins at once. Close it unless a reader was created with it; an unused flow then closes itself."""

    def __init__(
        self,
        segment_id: SegmentId,
        fetch: Fetch,
        flow: Flow,
        *,
        ranges: Iterable[tuple[int, int]],
        first: tuple[int, int],
    ) -> None:
        self.segment_id = segment_id
        self.flow = flow
        self._fetch = fetch
        self._ranges = {each: asyncio.create_task(fetch(*each), name="clip range") for each in ranges}
        self._begun = asyncio.create_task(flow.warm(*first), name="clip begun")
        for task in self._ranges.values():
            task.add_done_callback(_note)
        self._begun.add_done_callback(_note)

    @classmethod
    def of(cls, plan: ClipPlan, store: ObjectStore, inits: Inits) -> Prefetch | None:
        """Begin; None: the catalogue does not know where in the object the footage lies."""
        segment = plan.segments[0]
        cut = None if segment.fragments is None else cut_segment(segment, segment.fragments, plan.span)
        if cut is None:
            return None
        try:
            layout = layout_of(segment.size_bytes, parse_header(segment.header).core.chunk_log2)
        except RefusedError:
            return None
        offset, size = cut.index.offset, cut.index.size
        last = segment.trailer is not None
        _, group_last = next(cut.groups())
        first = layout.sealed_range(offset[cut.first], offset[group_last] + size[group_last], last=last)
        stop = layout.sealed_range(offset[cut.first], offset[cut.last] + size[cut.last], last=last)[1]
        ranges = [] if last else [layout.tail_range]
        if inits.get(segment.camera_id, segment.init_sha256) is None:
            ranges += [each for each in [layout.sealed_range(0, segment.init_size, last=last)] if each[0] < each[1]]
        return cls(
            segment.segment_id,
            Fetch(store, segment),
            Flow(store, object_name_of(segment), stop=stop, keep=layout.sealed_chunk_size),
            ranges=ranges,
            first=first,
        )

    async def fetch(self, start: int, end: int) -> bytes:
        """Read any range of the object; tail and init have been requested already. Each is returned once."""
        task = self._ranges.pop((start, end), None)
        return await (self._fetch(start, end) if task is None else asyncio.shield(task))

    def settle(self) -> None:
        """Drop what was not requested: the clip is open."""
        for task in self._ranges.values():
            task.cancel()
        self._ranges.clear()

    async def close(self) -> None:
        """Cancel the requests and close the flow: the prefetch will not be read."""
        tasks = (*self._ranges.values(), self._begun)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.flow.close()


def _note(task: asyncio.Task[bytes] | asyncio.Task[None]) -> None:
    """Mark the task's error as seen: a reader raises it again, and an unread prefetch may fail silently."""
    if not task.cancelled():
        task.exception()
