"""A camera whose source is a script, recorded into memory."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import uuid4

from domain.ids import CameraId, SiteId
from domain.time import NS
from ingest.access_unit import AccessUnit, Loss, Rests
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from ingest.settings import CameraSettings
from tests.support.cameras.video import encoded, units
from tests.support.footage.recording import Rig, assert_tiled
from tests.support.footage.sealed import START_NS

Item = AccessUnit | Loss


@cache
def film(seconds: float = 12.0) -> tuple[AccessUnit, ...]:
    """25 a second, a key frame every second."""
    return tuple(units(encoded(seconds)))


def shown(
    *, shift_s: Callable[[int], float] = lambda _: 0.0, late_s: Callable[[int], float] = lambda _: 0.0
) -> list[AccessUnit]:
    """The film as it comes from now on. shift_s: of the camera's clock; late_s: how late a picture comes."""
    began_ns = time.monotonic_ns()
    return [
        AccessUnit(
            unit.data,
            unit.pts_ticks + round(shift_s(number) * 90_000),
            unit.key,
            began_ns + number * NS // 25 + round(late_s(number) * 1e9),
            unit.parameters,
        )
        for number, unit in enumerate(film())
    ]


class Scripted:
    """Gives what it is told to, and then nothing more, connected. ``halfway``: is called with half of it recorded."""

    kind = "native"
    skew_ns: int | None = None
    passed_over = 0
    rests: Rests | None = None
    note = ""
    packets: Mapping[str, int] = {}

    def __init__(
        self, items: Sequence[Item], again: float | None = None, halfway: Callable[[], None] | None = None
    ) -> None:
        self._items, self._again, self._halfway = items, again, halfway

    def hurry(self, wanted: bool) -> None:
        """It gives everything at once anyway."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    async def batches(self) -> AsyncGenerator[list[Item], None]:
        for at in range(0, len(self._items), 5):
            if self._halfway is not None and at >= len(self._items) // 2:
                self._halfway()
                self._halfway = None
            yield list(self._items[at : at + 5])
            await asyncio.sleep(0)
        while self._again is not None:
            await asyncio.sleep(self._again)
            yield [self._items[-1]]
        await asyncio.sleep(3600)


async def recorded(
    rig: Rig,
    items: Sequence[Item],
    *,
    meanwhile: Callable[[Camera, RecorderClock], None] | None = None,
    until: Callable[[Camera], bool] | None = None,
    again: float | None = None,
    make: Callable[[], Scripted] | None = None,
    know: Callable[[Camera, RecorderClock], object] = lambda *_: None,
) -> Camera:
    settings = CameraSettings(
        camera_id=CameraId(uuid4()), site_id=SiteId(uuid4()), name="Hall", url="rtsp://127.0.0.1/", segment_s=3.0
    )
    clock = RecorderClock(time.monotonic_ns(), START_NS)
    async with rig.recorder() as recorder:
        made = Camera(
            settings,
            rig.camera(recorder),
            lambda _: (make or (lambda: Scripted(items, again, meanwhile and (lambda: meanwhile(made, clock)))))(),
            clock,
            random.Random(1),
        )  # type: ignore[arg-type,return-value]
        know(made, clock)
        task = asyncio.create_task(made.run())
        pictures = sum(isinstance(item, AccessUnit) for item in items)
        async with asyncio.timeout(20):
            while not (until(made) if until else made.health.frames >= pictures):
                await asyncio.sleep(0.005)
                made.tick()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        made.stop()
    return made


def check(rig: Rig, *, pictures: int, lost_at_most: int = 0) -> None:
    """Tiled; so many pictures are there; none takes longer than it should; no pictures are shown late for ever."""
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert pictures - lost_at_most <= sum(item.frames for item in live) <= pictures
    for item in live:
        assert item.span.duration_ns <= item.frames * NS // 25 + NS // 10
        assert b"elst" not in rig.plaintext(item)[: item.init_size]
