"""Taking pictures from a camera through the sources, for tests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from domain.ids import CameraId, SiteId
from ingest.access_unit import AccessUnit, Loss, Source
from ingest.settings import CameraSettings, SourceKind
from ingest.sources import Sources


def camera(url: str, **more: Any) -> CameraSettings:
    settings = {"source": SourceKind.NATIVE, **more}
    return CameraSettings(camera_id=CameraId(uuid4()), site_id=SiteId(uuid4()), name="Entrance", url=url, **settings)


async def take(source: Source, pictures: int, timeout_s: float = 60) -> list[AccessUnit | Loss]:
    """Until so many pictures came."""
    got: list[AccessUnit | Loss] = []
    async with asyncio.timeout(timeout_s), aclosing(source.batches()) as batches:
        async for batch in batches:
            assert batch
            got += batch
            if sum(isinstance(item, AccessUnit) for item in got) >= pictures:
                break
    return got


async def taken(url: str, pictures: int, **more: Any) -> list[AccessUnit | Loss]:
    return await take(Sources().make(camera(url, **more)), pictures)
