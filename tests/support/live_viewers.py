"""Viewers that take live pictures and do not decode them: a crowd beside one browser that is measured.

Run as ``python -m tests.support.live_viewers``: standard input begins with a line of JSON, the arguments of Crowd.
Once every viewer has its first picture it writes ``{"ready": n}``, and at the end of input the number of pictures.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiortc.rtcrtpreceiver as receiving
import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from api.live.streaming import HEAD
from live.protocol import Kind
from live.webrtc.ports import listen_only_at
from live.webrtc.profiles import add_profiles


class Crowd:
    """``pictures``: of each viewer. asked: address, cookie, csrf, purpose, camera, way, count"""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked
        self.pictures = [0] * asked["count"]
        self.endings: list[str] = []
        self._connections: dict[int, RTCPeerConnection] = {}

    async def view(self, number: int) -> None:
        """One viewer, with a connection of its own, until cancelled."""
        offer, connection = "", None
        if self._asked["way"] == "WebRTC":
            connection = self._connections[number] = await _offering()
            offer = connection.localDescription.sdp
        asked = self._asked
        headers = {"Cookie": asked["cookie"], "X-CSRF-Token": asked["csrf"], "Tallenne-Purpose": asked["purpose"]}
        body = {"cameras": [{"camera_id": asked["camera"], "offer": offer}]}
        try:
            async with (
                httpx.AsyncClient(base_url=asked["address"], verify=False, timeout=30, headers=headers) as client,
                client.stream("POST", "/v1/live", json=body) as answer,
            ):
                await self._read(number, answer, connection)
        finally:
            if connection is not None:
                await connection.close()

    async def _read(self, number: int, answer: httpx.Response, connection: RTCPeerConnection | None) -> None:
        held = b""
        async for piece in answer.aiter_raw():
            held += piece
            while len(held) >= HEAD.size:
                kind, _, size = HEAD.unpack_from(held)
                if len(held) < HEAD.size + size:
                    break
                said, held = held[HEAD.size : HEAD.size + size], held[HEAD.size + size :]
                self.pictures[number] += kind == Kind.FRAGMENT
                message = json.loads(said) if kind == Kind.MESSAGE else {}
                if connection is not None and "answer" in message:
                    answered = RTCSessionDescription(sdp=message["answer"], type="answer")
                    await connection.setRemoteDescription(answered)
                if "ended" in message:
                    self.endings.append(message["ended"])

    def take_pictures(self) -> None:
        """In place of aiortc's decoders: count what comes whole."""

        def count(loop: Any, waiting: Any, decoded: Any, *_: Any) -> None:
            while waiting.get() is not None:
                loop.call_soon_threadsafe(self._one_more, decoded)

        receiving.decoder_worker = count

    def _one_more(self, decoded: Any) -> None:
        """decoded: the queue of the viewer that would have been given the picture."""
        for number, connection in self._connections.items():
            self.pictures[number] += connection.getReceivers()[0].track._queue is decoded


async def _offering() -> RTCPeerConnection:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("video", direction="recvonly")
    listen_only_at(transceiver.receiver.transport.transport.iceGatherer._connection, ("127.0.0.1",), None)
    await connection.setLocalDescription(await connection.createOffer())
    return connection


async def main() -> None:
    """Until the input ends."""
    asked = json.loads(sys.stdin.readline())
    crowd = Crowd(asked)
    if asked["way"] == "WebRTC":
        add_profiles()
        crowd.take_pictures()
    tasks = [asyncio.create_task(crowd.view(number)) for number in range(asked["count"])]
    async with asyncio.timeout(60):
        while not all(crowd.pictures):
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.1)
    print(json.dumps({"ready": len(tasks)}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps({"pictures": sum(crowd.pictures), "endings": crowd.endings}), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
