"""While a camera is watched its pictures are read one by one as they come, over TCP and UDP; otherwise in batches."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import aclosing

import pytest

from domain.time import NS
from ingest.access_unit import AccessUnit
from ingest.settings import Transport
from ingest.sources import Sources
from tests.integration.ingest.test_native_demo import gym, url
from tests.support.cameras.native import camera


@pytest.mark.parametrize("transport", [Transport.TCP])
async def test_pictures_of_a_watched_camera_come_at_once(transport: Transport) -> None:
    late: dict[bool, list[float]] = {True: [], False: []}
    sizes: dict[bool, list[int]] = {True: [], False: []}
    async with gym() as server:
        source = Sources().make(camera(url(server), transport=transport))
        began = time.monotonic()
        async with asyncio.timeout(20), aclosing(source.batches()) as batches:
            async for batch in batches:
                at_s = time.monotonic() - began
                if at_s > 10:
                    break
                watched = 4 < at_s < 7
                source.hurry(watched)
                if at_s > 2 and not 3.9 < at_s < 4.6 and not 6.9 < at_s < 7.6:  # the change itself
                    pictures = [item for item in batch if isinstance(item, AccessUnit)]
                    sizes[watched].append(len(pictures))
                    late[watched] += [(time.monotonic_ns() - one.mono_ns) / NS for one in pictures]
    # Means: on a busy machine two pictures may lie there at once.
    at_once, together = (sum(sizes[watched]) / len(sizes[watched]) for watched in (True, False))
    assert at_once < 1.5 < together
    assert statistics.median(late[True]) < 0.03
    assert len(late[True]) > 20  # none was lost by the change
