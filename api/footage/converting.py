"""Groups of pictures of a clip as H.264, for a browser that cannot play what was recorded.

The role `live` converts them (live/converting/recorded.py), within its limit on how many cameras that may be. Pictures
keep their times to the tick. Sound is left out: the player is silent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any, Final, cast

from api.footage.assembly import Group
from api.footage.reader import ClipReader
from live.client import LiveClient
from live.protocol import Picture, Stream
from storage.mp4 import Run, describe_init, find, mdat_head, parameter_sets, parse_moof, write_moof
from storage.mp4.moof import NON_SYNC

MIME: Final = 'video/mp4; codecs="avc1.42c02a"'
"""Constrained baseline, at the highest level that 1920 x 1080 needs: a decoder reads the true one in the init."""
_HEAD_SIZE: Final = 8
_SEAM_TICKS: Final = 13_500
"""150 ms: a hole that is shorter belongs to the picture before it, as everywhere in the player."""


async def converted(
    reader: ClipReader, client: LiveClient, start: int, end: int, watched: Callable[[int, int], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """Init, then a fragment for each picture of the groups that lie in bytes [start, end) of the clip.

    ``watched`` is called with a group's own bytes before anything of it is converted. Errors as of the reader and of
    ``LiveClient.convert()``.
    """
    ends: dict[int, int] = {}
    fragments = _Fragments(ends)
    pictures = _pictures(reader, reader.groups_in(start, end), ends, watched)
    async with aclosing(cast("Any", client.convert(pictures))) as made:
        async for item in made:
            if isinstance(item, Stream):
                yield fragments.end() + item.init
            elif fragment := fragments.push(item):
                yield fragment
    if fragment := fragments.end():
        yield fragment


async def _pictures(
    reader: ClipReader, groups: Sequence[Group], ends: dict[int, int], watched: Callable[[int, int], Awaitable[None]]
) -> AsyncIterator[Stream | Picture]:
    """The pictures in decode order, with the clip's times. ``ends``: when each of them stops to be shown."""
    init = b""
    for group in groups:
        size = group.place.size_bytes
        await watched(group.at, group.at + size)
        found = pictures_of(await reader.read(group), group.place.delay_ticks)
        if init == b"" and (before := _needed(reader, group, found)) is not None:
            init = before.parts[0].opened.init
            yield _described(init)
            for picture in pictures_of(await reader.read(before), before.place.delay_ticks, replayed=True):
                yield picture
        if init != (init := group.parts[0].opened.init):
            yield _described(init)
        shown = sorted(picture.pts_ticks for picture in found)
        ends.update(pairwise([*shown, max(group.place.end_ticks, shown[-1] + 1)]))
        for picture in found:
            yield picture


def _needed(reader: ClipReader, group: Group, found: Sequence[Picture]) -> Group | None:
    """The group before, where pictures that are shown before the key frame refer to it (an open group)."""
    if min(picture.pts_ticks for picture in found) == found[0].pts_ticks:
        return None
    before = reader.group_before(group)
    return before if before is not None and before.parts[-1].span.end_ns == group.parts[0].span.start_ns else None


def pictures_of(fragment: memoryview, delay_ticks: int, *, replayed: bool = False) -> list[Picture]:
    """The pictures of a clip's fragment. Mp4Error."""
    moof = find(fragment, b"moof")
    run = parse_moof(fragment[: moof.end]).pictures
    at = moof.end + _HEAD_SIZE
    found = []
    for size, flags, shown in zip(run.sizes, run.flags, run.shown_times, strict=True):
        data = bytes(fragment[at : at + size])
        key = not flags & NON_SYNC
        found.append(Picture(data=data, pts_ticks=shown - delay_ticks, mono_ns=0, key=key, replayed=replayed))
        at += size
    return found


def _described(init: bytes) -> Stream:
    sets, found = parameter_sets(init), []
    while sets:
        size = 4 + int.from_bytes(sets[:4], "big")
        found.append(sets[4:size])
        sets = sets[size:]
    codec = describe_init(init)
    return Stream(codec=codec.name, mime=codec.mime, init=b"", sets=tuple(found))


class _Fragments:
    """Pictures that come in the order in which they are shown; each is written when it is known what follows."""

    def __init__(self, ends: dict[int, int]) -> None:
        self._ends, self._sequence = ends, 0
        self._last: Picture | None = None

    def push(self, picture: Picture) -> bytes:
        """The fragment of the one before. What has a time that no recorded picture has is left out."""
        if picture.pts_ticks not in self._ends or (self._last and picture.pts_ticks <= self._last.pts_ticks):
            return b""
        return self._next(picture)

    def end(self) -> bytes:
        """The last one's."""
        return self._next(None)

    def _next(self, picture: Picture | None) -> bytes:
        last, self._last = self._last, picture
        if last is None:
            return b""
        end = self._ends[last.pts_ticks]
        if picture is not None and end < picture.pts_ticks < end + _SEAM_TICKS:
            end = picture.pts_ticks
        self._sequence += 1
        words = (end - last.pts_ticks, len(last.data), 0 if last.key else NON_SYNC, 0)
        moof = write_moof(Run(decode_ticks=last.pts_ticks, words=words), sequence=self._sequence)
        return b"".join((moof, mdat_head(len(last.data)), last.data))
