"""The server against libav, and against plain sockets where libav is too polite."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import av
import pytest

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from demo.video import marker, strip


@dataclass
class Gym:
    server: RtspServer
    cameras: list[LiveCamera]

    def url(self, place: int = 0, who: str = "") -> str:
        return self.server.url(self.cameras[place]).replace("rtsp://", f"rtsp://{who}")


@contextlib.asynccontextmanager
async def gym(
    cameras: int = 1, *, password: str = "", b_frames: int = 0, bit_rate: int = 600_000
) -> AsyncIterator[Gym]:
    settings = live_settings((640, 360), 12.5, bit_rate, 1.0, b_frames)
    made = [LiveCamera(path=f"/camera/{n}", number=n, name=f"Cam {n}", settings=settings) for n in range(cameras)]
    digest = Digest("gym", password) if password else None
    async with RtspServer(made, digest=digest).listening() as server, Studio(made).open():
        yield Gym(server, made)


@dataclass
class Seen:
    shown: list[tuple[int, int] | None]  # of the strip
    stamped: list[tuple[int, int] | None]  # of the marker
    pts: list[int | None]
    sizes: set[tuple[int, int]]
    at_ms: list[int]


def watch(url: str, frames: int, tenth: Callable[[], None] = lambda: None) -> Seen:
    """By libav, in a thread. ``tenth`` is called at the tenth picture."""
    seen = Seen([], [], [], set(), [])
    with av.open(url, options={"rtsp_transport": "tcp", "fflags": "nobuffer"}, timeout=10) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            seen.stamped.append(marker.read_stamp(bytes(packet)))
            for frame in packet.decode():
                seen.shown.append(strip.read(frame.to_ndarray(format="gray")))
                seen.pts.append(frame.pts)
                seen.sizes.add((frame.width, frame.height))
                seen.at_ms.append(time.time_ns() // 1_000_000)
                if len(seen.shown) == 10:
                    tenth()
            if len(seen.shown) >= frames:
                break
    return seen


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_libav_reads_pictures_that_say_when_and_where(b_frames: int) -> None:
    async with gym(2, b_frames=b_frames) as g:
        first, second = await asyncio.gather(
            asyncio.to_thread(watch, g.url(0), 30), asyncio.to_thread(watch, g.url(1), 30)
        )
        for number, seen in enumerate((first, second)):
            assert None not in seen.shown and None not in seen.stamped
            assert {camera for _, camera in seen.shown} == {number}
            times = [ms for ms, _ in seen.shown]
            assert times == sorted(times)
            late_ms = [
                (late - early) - (b - a) / 90
                for early, late, a, b in zip(times, times[1:], seen.pts, seen.pts[1:], strict=False)
                if a is not None  # libav may leave out the first
            ]
            assert abs(statistics.median(late_ms)) < 20  # a loaded machine draws late, and the next ones sooner after
            assert max(late_ms) < 2000
            assert seen.at_ms[-1] - times[-1] < times[-1] - times[0]  # live: long before all would have been drawn
        assert all(camera.frames >= 30 for camera in g.cameras)


async def test_password_right_and_wrong() -> None:
    async with gym(password="open sesame") as g:
        seen = await asyncio.to_thread(watch, g.url(who="gym:open%20sesame@"), 5)
        assert None not in seen.shown
        for who in ("gym:wrong@", "other:open%20sesame@", ""):
            with pytest.raises(av.HTTPUnauthorizedError):
                await asyncio.to_thread(watch, g.url(who=who), 5)


async def test_two_readers_of_one_camera_see_the_same_pictures() -> None:
    async with gym() as g:
        first, second = await asyncio.gather(*(asyncio.to_thread(watch, g.url(), 40) for _ in range(2)))
        assert len(set(first.shown) & set(second.shown)) > 15


async def test_parameter_sets_change_in_mid_stream() -> None:
    async with gym() as g:
        before, faults = g.cameras[0].sps, g.cameras[0].faults
        seen = await asyncio.to_thread(watch, g.url(), 80, lambda: faults.change_size(704, 576))
        assert seen.sizes == {(640, 360), (704, 576)}
        assert None not in seen.shown
        assert g.cameras[0].sps != before


async def test_stall_is_silence_and_then_a_key_picture() -> None:
    async with gym() as g:
        faults = g.cameras[0].faults
        seen = await asyncio.to_thread(watch, g.url(), 80, lambda: faults.stall(1.5))
        times = [ms for ms, _ in seen.shown]
        pauses = [late - early for early, late in itertools.pairwise(times)]
        assert max(pauses) > 1300
        assert sum(pause > 900 for pause in pauses) == 1  # a busy machine adds shorter ones


class Client:
    """As little of a client as will do; keeps every RTP packet's header."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self.reader, self.writer, self.url, self.cseq, self.session = reader, writer, url, 0, ""

    async def ask(self, method: str, uri: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
        self.cseq += 1
        lines = [f"{method} {uri or self.url} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        while (first := await self.reader.readexactly(1)) == b"$":
            await self.packet(first)
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await self.reader.readexactly(int(fields.get("content-length", 0)))
        return int(head[0].split()[1]), fields, body

    async def packet(self, first: bytes = b"") -> tuple[int, bytes]:
        head = first or await self.reader.readexactly(1)
        head += await self.reader.readexactly(3)
        return head[1], await self.reader.readexactly(int.from_bytes(head[2:], "big"))

    async def play(self, channels: str = "0-1") -> dict[str, str]:
        _, fields, _ = await self.ask(
            "SETUP", self.url + "/trackID=0", Transport=f"RTP/AVP/TCP;unicast;interleaved={channels}"
        )
        self.session = fields["session"].partition(";")[0]
        status, fields, _ = await self.ask("PLAY", Session=self.session)
        assert status == 200
        return fields


@contextlib.asynccontextmanager
async def client(g: Gym) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", g.server.port)
    try:
        yield Client(reader, writer, g.url())
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def rtp(packet: bytes) -> tuple[int, int, int, int]:
    """(sequence, timestamp, SSRC, marker)"""
    return (
        int.from_bytes(packet[2:4], "big"),
        int.from_bytes(packet[4:8], "big"),
        int.from_bytes(packet[8:12], "big"),
        packet[1] >> 7,
    )


async def test_conversation_channels_reports_and_teardown() -> None:
    async with gym() as g, client(g) as c:
        assert (await c.ask("OPTIONS"))[1]["public"].startswith("OPTIONS, DESCRIBE")
        status, fields, body = await c.ask("DESCRIBE")
        assert status == 200 and fields["content-base"] == g.url() + "/"
        assert b"a=framerate:12.5" in body and b"sprop-parameter-sets=" in body
        assert (await c.ask("PLAY", Session="nobody"))[0] == 454
        assert (await c.ask("SETUP", g.url(), Transport="RTP/AVP;unicast;client_port=1-2"))[0] == 461
        assert (await c.ask("DESCRIBE", g.url() + "9"))[0] == 404
        assert (await c.ask("ANNOUNCE"))[0] == 501
        fields = await c.play("4-5")
        assert "timeout=60" in fields["session"]
        info = dict(part.split("=", 1) for part in fields["rtp-info"].split(";"))
        channel, first = await c.packet()
        assert channel == 4 and rtp(first)[0] == int(info["seq"])
        assert (rtp(first)[1] - int(info["rtptime"])) % 2**32 < 90_000 * 2
        packets = [await c.packet() for _ in range(40)]
        reports = [packet for number, packet in packets if number == 5]
        assert len(reports) == 1 and reports[0][1] == 200 and reports[0][4:8] == first[8:12]
        numbers = [rtp(packet)[0] for number, packet in packets if number == 4]
        assert numbers == [(rtp(first)[0] + 1 + at) % 65536 for at in range(len(numbers))]
        assert (await c.ask("GET_PARAMETER", Session=c.session))[0] == 200
        assert (await c.ask("TEARDOWN", Session=c.session))[0] == 200
        assert not g.cameras[0].readers
        assert (await c.ask("GET_PARAMETER", Session=c.session))[0] == 454


async def test_loss_leaves_holes_in_the_numbers() -> None:
    async with gym() as g, client(g) as c:
        g.cameras[0].faults.loss = 0.3
        await c.play()
        packets = [await c.packet() for _ in range(60)]
        numbers = [rtp(packet)[0] for channel, packet in packets if channel == 0]
        steps = [(late - early) % 65536 for early, late in itertools.pairwise(numbers)]
        assert max(steps) > 1 and max(steps) < 60


async def test_clock_jump_moves_timestamps_and_reports() -> None:
    async with gym() as g, client(g) as c:
        await c.play()
        before = rtp((await c.packet())[1])[1]
        g.cameras[0].faults.jump_clock(3600)
        for _ in range(40):
            number, packet = await c.packet()
            if number == 0 and 3590 < ((rtp(packet)[1] - before) % 2**32) / 90_000 < 3610:
                return
        pytest.fail("no jump seen")


async def test_drop_and_refuse() -> None:
    async with gym() as g:
        async with client(g) as c:
            await c.play()
            await c.packet()
            g.cameras[0].faults.drop()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                while True:
                    await c.packet()
        async with client(g) as c:
            g.cameras[0].faults.refuse(30)
            assert (await c.ask("DESCRIBE"))[0] == 503
        g.server.refuse(30)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            async with client(g) as c:
                await c.ask("OPTIONS")


async def test_slow_reader_is_cut_off_and_slows_nobody() -> None:
    settings = live_settings((640, 360), 12.5, 600_000, 1.0)
    camera = LiveCamera(path="/camera/0", number=0, name="Cam", settings=settings)
    server = RtspServer([camera], max_pending_bytes=50_000, send_buffer_bytes=4096)
    async with server.listening(), Studio([camera]).open():
        g = Gym(server, [camera])
        async with client(g) as slow:
            slow.writer.transport.pause_reading()
            sock = slow.writer.get_extra_info("socket")
            sock.setsockopt(1, 8, 4096)  # SOL_SOCKET, SO_RCVBUF
            slow.writer.transport.resume_reading()
            await slow.play()
            slow.writer.transport.pause_reading()
            seen = await asyncio.to_thread(watch, g.url(), 60)
            times = [ms for ms, _ in seen.shown]
            assert (
                max(late - early for early, late in itertools.pairwise(times)) < 2000
            )  # the slow one would be waited for far longer
            assert camera.slow_readers == 1


async def test_mid_gop_start_on_request() -> None:
    async with gym() as g, client(g) as first, client(g) as second:
        await first.play()
        await first.packet()
        await asyncio.sleep(0.3)
        g.cameras[0].faults.start_mid_gop = True
        await second.play()
        _, packet = await second.packet()
        assert packet[12] & 31 != 24  # no parameter sets in front


async def test_silent_client_is_cut_off() -> None:
    camera = LiveCamera(path="/camera/0", number=0, name="Cam", settings=live_settings((320, 180), 5, 100_000, 1.0))
    async with RtspServer([camera], session_s=1).listening() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        said = b""
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):  # cut off, by a reset too
                said = await reader.read()
        assert said == b""
        writer.close()
