"""Opens groups of pictures in order, with one GET per segment."""

from __future__ import annotations

from collections.abc import Iterable

from api.footage.assembly import Group, Part
from api.footage.flow import Flow
from api.footage.opened import Opened
from domain.ids import SegmentId
from storage.mp4 import GroupPart, join_fragments
from storage.sealed import RefusedError


class Flows:
    """The flows of one reader of a clip. Call ``close_before()`` as it proceeds, and close everything at the end."""

    def __init__(self, groups: Iterable[Group]) -> None:
        """``groups``: what will be read, in order."""
        self._last = {part.opened.segment_id: part.last for group in groups for part in group.parts}
        self._open: dict[SegmentId, tuple[Opened, Flow]] = {}

    async def read(self, group: Group) -> bytes:
        """Return the group as one fragment of the clip. RefusedError, Mp4Error, errors of the store."""
        parts = [
            GroupPart(fragments=await self._fragments(part), shift_ticks=part.shift_ticks, delay_ticks=part.delay_ticks)
            for part in group.parts
        ]
        return join_fragments(parts, group.place)

    async def close_before(self, group: Group | None) -> None:
        """Close what only earlier groups need: hours of footage need no more memory than a moment."""
        first = None if group is None else group.parts[0].opened.segment_id
        for segment_id, (opened, flow) in list(self._open.items()):
            if segment_id == first:
                break
            del self._open[segment_id]
            await flow.close()
            opened.reader.forget()

    async def _fragments(self, part: Part) -> list[memoryview]:
        opened, index = part.opened, part.opened.cut.index
        flow = self._flow(part)
        base = index.offset[part.first]
        stop = index.offset[part.last] + index.size[part.last]
        if part.first == 0 and base == opened.cut.segment.init_size:
            # Its init lies in the same chunk, so its hash can be verified instead of trusted.
            whole = await opened.reader.read(0, stop, flow)
            if whole[:base] != opened.init:
                raise RefusedError
            data = whole[base:]
        else:
            data = await opened.reader.read(base, stop, flow)
        ranges = ((index.offset[n] - base, index.size[n]) for n in range(part.first, part.last + 1))
        return [data[at : at + size] for at, size in ranges]

    def _flow(self, part: Part) -> Flow:
        segment_id = part.opened.segment_id
        if segment_id not in self._open:
            self._open[segment_id] = (part.opened, part.opened.flow(part.first, self._last[segment_id]))
        return self._open[segment_id][1]
