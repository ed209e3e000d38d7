"""One live picture by a WebRTC client of the smoke check's own, and how old it is when it has been decoded."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import aclosing
from typing import Any, Final

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from demo.video import strip
from live.webrtc.ports import listen_only_at
from live.webrtc.profiles import add_profiles
from pipeline.client import StaffClient
from pipeline.smoke.holding import SmokeError, hold

_LOOK_S: Final = 15.0
_SETTLED_S: Final = 1.0
"""A viewer begins with pictures from before; those that are shown after this are of now."""
_PICTURES: Final = 15


async def live_age_ms(client: StaffClient, camera_id: str) -> int:
    """Watch the camera; return the median age of pictures of now. SmokeError: none comes."""
    add_profiles()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    ages: asyncio.Queue[int] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []
    connection.on("track", lambda track: tasks.append(asyncio.create_task(_read(track, ages), name="live pictures")))
    try:
        transceiver = connection.addTransceiver("video", direction="recvonly")
        gatherer = transceiver.receiver.transport.transport.iceGatherer
        listen_only_at(gatherer._connection, ("127.0.0.1",), None)
        await connection.setLocalDescription(await connection.createOffer())
        async with asyncio.timeout(_LOOK_S), aclosing(client.live(camera_id, connection.localDescription.sdp)) as told:
            async for message in told:
                hold("answer" in message, f"A camera is not shown by WebRTC: {message}.")
                await connection.setRemoteDescription(RTCSessionDescription(sdp=message["answer"], type="answer"))
                return await _of_now(ages)
    except TimeoutError:
        raise SmokeError("No live picture comes by WebRTC.", "Look into logs/live.log and logs/serve.log.") from None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await connection.close()
    raise SmokeError("A live look ended at once.", "Look into logs/live.log.")


async def _of_now(ages: asyncio.Queue[int]) -> int:
    await ages.get()
    await asyncio.sleep(_SETTLED_S)
    while not ages.empty():
        ages.get_nowait()
    return round(statistics.median([await ages.get() for _ in range(_PICTURES)]))


async def _read(track: Any, ages: asyncio.Queue[int]) -> None:
    try:
        while True:
            frame = await track.recv()
            found = strip.read(frame.to_ndarray(format="gray").astype(np.uint8, copy=False))
            if found is not None:
                ages.put_nowait(round(time.time() * 1000) - found[0])
    except MediaStreamError:
        return
