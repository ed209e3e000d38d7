"""The native client against the demo's cameras, and against servers that behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import av
import pytest

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from ingest.access_unit import AccessUnit, Loss
from ingest.errors import CameraAwayError, CameraRefusedError, CameraStalledError, StreamError
from ingest.libav.packets import Packets
from ingest.rtsp import connection
from ingest.sources import Sources
from tests.support.cameras.native import camera, take, taken
from tests.support.cameras.rtp import frames_of, losses, units
from tests.support.cameras.streams import description_reply, recorded, reply_to
from tests.support.cameras.video import encoded
from tests.support.footage.recording import until

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"
SETUP = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession: 5;timeout=60\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"
PLAY = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n"


@contextlib.asynccontextmanager
async def gym(digest: Digest | None = None, b_frames: int = 0, bit_rate: int = 600_000) -> AsyncIterator[RtspServer]:
    live = LiveCamera(
        path="/camera/0", number=0, name="Cam", settings=live_settings((640, 360), 12.5, bit_rate, 1.0, b_frames)
    )
    async with RtspServer([live], digest=digest).listening() as server, Studio([live]).open():
        yield server


def url(server: RtspServer) -> str:
    return server.url(next(iter(server.streams.values())))


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_pictures_come_in_order(b_frames: int) -> None:
    async with gym(b_frames=b_frames) as server:
        items = await taken(url(server), 25)
        await asyncio.sleep(0.1)
        assert not server.connections  # TEARDOWN was said, and the connection closed
    pictures = units(items)
    assert losses(items) == []
    assert pictures[0].key
    assert all(unit.mono_ns <= time.monotonic_ns() for unit in pictures)
    times = sorted(unit.pts_ticks for unit in pictures[: 24 if b_frames else None])
    steps = {later - earlier for earlier, later in itertools.pairwise(times[: -b_frames or None])}
    assert all(abs(step - 7200) < 5 for step in steps)
    reordered = [unit.pts_ticks for unit in pictures] != sorted(unit.pts_ticks for unit in pictures)
    assert reordered == bool(b_frames)


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
async def test_digest(algorithms: tuple[str, ...]) -> None:
    async with gym(Digest("gym", "s3cret, word", algorithms=algorithms)) as server:
        items = await taken(url(server), 3, user_name="gym", password="s3cret, word")
        assert len(units(items)) >= 3
        with pytest.raises(CameraRefusedError, match="refuses user name and password") as caught:
            await taken(url(server), 1, user_name="gym", password="wrong-word")
    assert "wrong-word" not in str(caught.value)
    assert f"127.0.0.1:{server.port}" in caught.value.what


async def test_clock_of_the_camera_is_told() -> None:
    async with gym() as server:
        source = Sources().make(camera(url(server)))
        await take(source, 3)
    assert source.kind == "native"
    assert source.skew_ns is not None
    assert abs(source.skew_ns) < 1_000_000_000


async def test_no_such_stream_is_said() -> None:
    async with gym() as server:
        with pytest.raises(CameraRefusedError, match="no such stream"):
            await taken(url(server) + "x", 1)


async def test_nobody_there_is_said() -> None:
    with socket.socket() as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        address = f"rtsp://127.0.0.1:{taken_port.getsockname()[1]}/x"
        with pytest.raises(CameraAwayError, match="cannot be reached"):
            await taken(address, 1)


async def test_lost_packets_are_told_and_recovered_from() -> None:
    async with gym(bit_rate=1_500_000) as server:
        stream = next(iter(server.streams.values()))
        stream.faults.loss = 0.01
        items: list[AccessUnit | Loss] = []
        async with asyncio.timeout(60), aclosing(Sources().make(camera(url(server))).batches()) as batches:
            async for batch in batches:
                items += batch
                if len(losses(items)) > 1 and isinstance(items[-1], AccessUnit):
                    break
    assert losses(items)
    for place, item in enumerate(items[:-1]):
        if isinstance(item, Loss):
            following = items[place + 1]
            assert isinstance(following, Loss) or following.key or (following.damaged and not item.gap)


# -- Servers that behave badly


@contextlib.asynccontextmanager
async def server_of(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations[task] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live"
    finally:
        server.close()
        for writer in conversations.values():
            writer.transport.abort()
        if conversations:
            await asyncio.wait(conversations, timeout=5)
        await asyncio.sleep(0)


async def request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Up to the reply to PLAY."""
    for reply in (description_reply(SDP, 1), SETUP, PLAY):
        await request(reader)
        writer.write(reply)


async def test_stream_of_bunny_as_libav_gives_it() -> None:
    data = recorded("bunny.rtsp")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channels = b"0-1"
        while True:
            asked = (await request(reader)).decode()
            cseq = int(asked.partition("CSeq: ")[2].split()[0])
            if asked.startswith("OPTIONS"):
                writer.write(b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n" % cseq)
            elif asked.startswith("DESCRIBE"):
                writer.write(reply_to("bunny_describe.txt", cseq))
            elif asked.startswith("SETUP"):
                channels = b"2-3" if "trackID=2" in asked.partition("\r")[0] else b"0-1"
                writer.write(reply_to("bunny_setup.txt", cseq).replace(b"0-1", channels))
            elif asked.startswith("PLAY"):
                writer.write(reply_to("bunny_play.txt", cseq) + data)
                writer.write_eof()
                return

    def by_libav(address: str) -> list[AccessUnit]:
        with av.open(address, options={"rtsp_transport": "tcp"}, timeout=10) as container:
            stream = container.streams.video[0]
            packets = Packets("h264", bytes(stream.codec_context.extradata or b""))
            found = []
            with contextlib.suppress(av.error.FFmpegError):
                for packet in container.demux(stream):
                    if packet.size:  # libav gives the first picture no time
                        found.append(packets.unit(bytes(packet), packet.pts or 0, 0))
            return [unit for unit in found if unit is not None]

    async with server_of(serve) as address:
        expected = await asyncio.to_thread(by_libav, address)
        got: list[AccessUnit | Loss] = []
        with pytest.raises(CameraAwayError, match="closed the connection"):
            async with aclosing(Sources().make(camera(address)).batches()) as batches:
                async for batch in batches:
                    got += batch
    ours = units(got)
    assert losses(got) == []
    assert len(expected) > 50
    assert [(unit.data, unit.key, unit.parameters) for unit in ours] == [
        (unit.data, unit.key, unit.parameters) for unit in expected
    ]
    offset = ours[1].pts_ticks - expected[1].pts_ticks
    assert [unit.pts_ticks - offset for unit in ours[1:]] == [unit.pts_ticks for unit in expected[1:]]


async def test_silent_camera_is_called_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED_NS", 1_000_000_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await conversation(reader, writer)
        await reader.read()

    async with server_of(serve) as address:
        with pytest.raises(CameraStalledError, match="sends nothing"):
            await taken(address, 1)


async def test_slow_consumer_holds_the_camera_up_and_does_not_call_it_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED_NS", 500_000_000)
    coded = [(data, pts) for data, pts, _ in encoded(4.0)]
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await conversation(reader, writer)
        sequence = 0
        for second in itertools.count():
            frames = frames_of([(data, pts + second * 360_000) for data, pts in coded], sequence=sequence)
            sequence += len(frames)
            for item in frames:
                writer.write(item)
                sent += len(item)
                await writer.drain()
            if sent > 60 << 20:
                return

    async with server_of(serve) as address, aclosing(Sources().make(camera(address)).batches()) as batches:
        first = await anext(batches)
        held = -1
        while sent != held:
            held = sent
            await asyncio.sleep(1)
        assert sent <= 60 << 20  # nothing is read, nothing piles up
        got = list(first)
        async for batch in batches:
            got += batch
            if len(got) > 500:
                break
    assert losses(got) == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", StreamError),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 67108864\r\n\r\n" + b"v=0\r\n" * 1000, StreamError),
        (b"RTSP/1.0 200 OK\r\n" + b"X-Header: y\r\n" * 100_000, StreamError),
        (b"", CameraAwayError),
    ],
)
async def test_bad_replies_are_told(data: bytes, error: type[Exception]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(data)
        await writer.drain()

    async with server_of(serve) as address:
        with pytest.raises(error):
            await taken(address, 1)


async def test_replies_that_trickle_end_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.rtsp.source._OPEN_S", 0.5)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"R")
            await writer.drain()
            await asyncio.sleep(0.2)

    async with server_of(serve) as address:
        with pytest.raises((CameraAwayError, StreamError)):
            await taken(address, 1)


async def test_redirect_on_the_same_machine_is_followed() -> None:
    async with gym() as server:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {url(server)}\r\n\r\n".encode())
            await reader.read()

        async with server_of(serve) as address:
            assert units(await taken(address, 2))


async def test_camera_that_refuses_every_transport_is_refused_and_never_left_to_libav() -> None:
    """What a camera answers never changes who connects to it, nor where the password goes."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = (await request(reader)).decode()
            asked.append(line)
            cseq = int(line.partition("CSeq: ")[2].split()[0])
            if line.startswith("DESCRIBE"):
                writer.write(description_reply(SDP, cseq))
            else:
                writer.write(b"RTSP/1.0 461 Unsupported Transport\r\nCSeq: %d\r\n\r\n" % cseq)

    async with server_of(serve) as address:
        source = Sources().make(camera(address, user_name="gym", password="s3cret"))
        with pytest.raises(StreamError, match="neither over TCP nor over UDP"):
            await take(source, 1)
    assert source.kind == "native"
    assert [line.split()[0] for line in asked] == ["DESCRIBE", "SETUP", "SETUP"]
    assert not any("s3cret" in line or "Authorization" in line for line in asked)


async def test_cancelled_source_says_goodbye() -> None:
    async with gym() as server:
        task = asyncio.create_task(taken(url(server), 10_000))
        await until(lambda: bool(server.connections))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not server.connections)


async def test_large_receive_buffers_make_long_pauses() -> None:
    """After the first second a camera is read about four times a second."""
    async with gym() as server, aclosing(Sources().make(camera(url(server))).batches()) as batches:
        began = 0.0
        seen: list[float] = []
        async for _ in batches:
            began = began or time.monotonic()
            if time.monotonic() - began > 1.5:
                seen.append(time.monotonic())
            if len(seen) > 8:
                break
    assert 0.15 < (seen[-1] - seen[0]) / 8 < 1.0
