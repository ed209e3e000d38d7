"""A link that carries less than the camera sends, for a while: pictures keep the time at which they were taken."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.access_unit import AccessUnit
from ingest.camera import Camera
from ingest.media.clock import RecorderClock, ticks_to_ns
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.sources import Sources
from tests.support.cameras.native import camera
from tests.support.cameras.rtp import frames_of
from tests.support.cameras.streams import description_reply
from tests.support.cameras.video import encoded, units
from tests.support.footage.recording import Rig, assert_tiled, make_rig
from tests.support.footage.sealed import START_NS

pytestmark = pytest.mark.slow

FPS = 25
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"
BYTES_PER_S = FPS * 18_000 + 80_000
FREE = 20e6
LATE_S = 0.1
Rate = Callable[[float], float]  # bytes a second, by the seconds since the first byte


def padding(size: int, dice: random.Random) -> bytes:
    """An SEI message of that size, with start code."""
    body = bytes(dice.choices(range(1, 256), k=size))
    head = b"\x06\x05" + b"\xff" * (size // 255) + bytes((size % 255,))
    return b"\x00\x00\x00\x01" + head + body + b"\x80"


@dataclass
class Filming:
    """Sends each picture once it is taken, however far the link is behind. ``taken_ns``: as its stamp says it."""

    stream: list[tuple[bytes, int, bool]]
    taken_ns: list[int] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            for answer in (
                lambda cseq: description_reply(SDP, cseq),
                lambda cseq: reply(cseq, "Session: 5;timeout=60", "Transport: RTP/AVP/TCP;interleaved=0-1"),
                lambda cseq: reply(cseq, "Session: 5"),
            ):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                writer.write(answer(int(head.partition("CSeq: ")[2].split()[0])))
            await self.film(writer)
            await reader.read()

    async def film(self, writer: asyncio.StreamWriter) -> None:
        sequence, began_s = 0, time.monotonic()
        for number, (data, ticks, _) in enumerate(self.stream):
            await asyncio.sleep(max(0.0, began_s + number / FPS - time.monotonic()))
            frames = frames_of([(data, ticks)], sequence=sequence)
            sequence += len(frames)
            self.taken_ns.append(round((began_s + number / FPS) * NS))
            writer.write(b"".join(frames))  # what the link does not take yet waits


def reply(cseq: int, *headers: str) -> bytes:
    return "\r\n".join(("RTSP/1.0 200 OK", f"CSeq: {cseq}", *headers, "", "")).encode()


@contextlib.asynccontextmanager
async def link_to(filming: Filming, rate: Rate, chunk: int) -> AsyncIterator[str]:
    """The address of a camera behind a link that lets through ``chunk`` bytes and then rests."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: Rate) -> None:
        free_s = began_s = time.monotonic()
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while True:
                bytes_per_s = rate(time.monotonic() - began_s)
                if not (data := await reader.read(chunk if bytes_per_s < FREE else 1 << 16)):
                    break
                now_s = time.monotonic()
                # Sleeps take longer than asked for: what is late is made good, or the link is slower than it says.
                free_s = max(free_s, now_s - LATE_S) + len(data) / bytes_per_s
                await asyncio.sleep(max(0.0, free_s - now_s))
                writer.write(data)
                await writer.drain()

    tasks: list[asyncio.Task[None] | None] = []

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        from_camera, to_camera = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        await asyncio.gather(carry(from_camera, writer, rate), carry(reader, to_camera, lambda _: FREE))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        await filming.serve(reader, writer)

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        await asyncio.start_server(join, "127.0.0.1", 0) as link,
    ):
        yield f"rtsp://127.0.0.1:{link.sockets[0].getsockname()[1]}/t"
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


async def recorded(rig: Rig, address: str) -> tuple[Camera, float]:
    """The camera, once the link has been behind and has caught up for a while; how late pictures came at most."""
    latest_s = caught_up_s = 0.0
    async with rig.recorder() as recorder:
        clock = RecorderClock(time.monotonic_ns(), START_NS)
        made = Camera(camera(address), rig.camera(recorder), Sources().make, clock, random.Random(1))
        task = asyncio.create_task(made.run())
        async with asyncio.timeout(150):
            while caught_up_s < 5:
                await asyncio.sleep(0.2)
                made.tick()
                latest_s = max(latest_s, made.health.delay_s)
                caught_up_s = caught_up_s + 0.2 if latest_s > 1.5 and made.health.delay_s < 0.3 else 0.0
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        made.stop()
    return made, latest_s


@pytest.mark.parametrize(("chunk", "gop"), [(1400, 25), (16_384, 100)])
async def test_pictures_keep_their_time_while_a_slow_link_falls_behind_and_catches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, gop: int
) -> None:
    dice = random.Random(3)
    stream = [
        (padding(90_000 if key else 17_000 + 31 * number % 2000, dice) + data, ticks, key)
        for number, (data, ticks, key) in enumerate(encoded(60.0, gop=gop))
    ]
    number_of = {unit.data: number for number, unit in enumerate(units(stream))}
    placed: dict[int, int] = {}
    push = FragmentWriter.push

    def noting(self: FragmentWriter, unit: AccessUnit) -> Fragment | None:
        placed[number_of[unit.data]] = ticks_to_ns(unit.pts_ticks)
        return push(self, unit)

    monkeypatch.setattr(FragmentWriter, "push", noting)
    rig, filming = make_rig(tmp_path), Filming(stream)
    async with link_to(filming, lambda at: 0.7 * BYTES_PER_S if 4 < at < 14 else FREE, chunk) as address:
        made, latest_s = await recorded(rig, address)
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert latest_s > 1.5
    errors = [abs(at_ns - filming.taken_ns[number]) / NS for number, at_ns in placed.items()]
    assert max(errors[50:]) < 0.15
    assert sorted(placed.values()) == list(placed.values())
    assert (made.health.clock_jumps, made.health.connections, made.health.timed_by) == (0, 1, "stamps")
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert [gap for gap in gaps if gap.cause not in (GapCause.STARTING, GapCause.STOPPED)] == []
    for item in live[:-1]:
        assert item.frames / (item.span.duration_ns / NS) == pytest.approx(FPS, rel=0.03)
