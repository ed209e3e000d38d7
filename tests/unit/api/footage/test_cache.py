"""A clip is opened once for all who ask; nothing is kept for others, for too long, or after a failure."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from api.footage import ClipReader
from api.footage.cache import ALTOGETHER, PER_SESSION, ClipCache, ClipRequest
from domain.ids import CameraId, SessionId
from domain.time import NS, Span

CAMERA = CameraId(uuid.uuid4())


def asked(session: SessionId, second: int = 0) -> ClipRequest:
    return ClipRequest(
        session_id=session,
        purpose_id=uuid.UUID(int=1),
        action="look",
        camera_id=CAMERA,
        span=Span(second * NS, (second + 1) * NS),
    )


async def test_cache_opens_once_for_many_and_forgets() -> None:
    now = [0]
    cache = ClipCache(lambda: now[0])
    opened: list[ClipRequest] = []

    async def open_clip(wanted: ClipRequest) -> ClipReader:
        await asyncio.sleep(0)
        opened.append(wanted)
        return ClipReader.__new__(ClipReader)

    me = SessionId(uuid.uuid4())
    readers = await asyncio.gather(*(cache.reader(asked(me), open_clip) for _ in range(5)))
    assert len(opened) == 1
    assert all(reader is readers[0] for reader in readers)
    await cache.reader(asked(SessionId(uuid.uuid4())), open_clip)
    assert len(opened) == 2
    now[0] += 5 * 60 * NS
    await cache.reader(asked(me), open_clip)
    assert len(opened) == 3
    for second in range(40):
        await cache.reader(asked(me, second), open_clip)
    assert len(cache) == PER_SESSION
    for _ in range(ALTOGETHER):
        await cache.reader(asked(SessionId(uuid.uuid4())), open_clip)
    assert len(cache) == ALTOGETHER


async def test_cache_keeps_no_failure() -> None:
    cache = ClipCache(lambda: 0)

    async def fails(_: ClipRequest) -> ClipReader:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await cache.reader(asked(SessionId(uuid.uuid4())), fails)
    assert len(cache) == 0
