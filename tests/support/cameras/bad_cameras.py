"""Cameras that behave badly, in a process: ``python -m tests.support.cameras.bad_cameras``. Prints {kind: port}.

silent: takes the connection and says nothing
big_sdp: announces a description of 64 MB, and sends it as fast as it is taken
endless_head: a reply whose headers never end
garbage: plays, and then sends random bytes as fast as they are taken
frames: plays, and then sends well-formed frames of random contents, without a pause
stalls: plays a few pictures, and then nothing, the connection open
lies: plays, with timestamps and reports that jump by hours to and fro
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable

from tests.support.cameras.rtp import frames_of
from tests.support.cameras.streams import description_reply
from tests.support.cameras.video import encoded

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_CODED: list[tuple[bytes, int]] = []


async def asked(reader: asyncio.StreamReader) -> int:
    """The number of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    return int(head.partition("CSeq: ")[2].split()[0])


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(description_reply(SDP, await asked(reader)))
    cseq = await asked(reader)
    writer.write(
        b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nSession: 5;timeout=60\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n" % cseq
    )
    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n\r\n" % await asked(reader))
    await writer.drain()


async def flood(writer: asyncio.StreamWriter, make: Callable[[], bytes]) -> None:
    while True:
        writer.write(make())
        await writer.drain()
        await asyncio.sleep(0)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def big_sdp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    cseq = await asked(reader)
    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nContent-Length: 67108864\r\n\r\nv=0\r\n" % cseq)
    await flood(writer, lambda: b"a=x:" + b"y" * 65_000 + b"\r\n")


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    cseq = await asked(reader)
    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n" % cseq)
    await flood(writer, lambda: b"X-More: " + b"z" * 60_000 + b"\r\n")


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await play(reader, writer)
    dice = random.Random(1)
    await flood(writer, lambda: dice.randbytes(60_000))


async def frames(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await play(reader, writer)
    dice, sequence = random.Random(2), 0

    def make() -> bytes:
        nonlocal sequence
        made = []
        for _ in range(20):
            sequence += 1
            head = b"\x80\x60" + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(4) + b"ssrc"
            body = head + dice.randbytes(1400)
            made.append(b"$\x00" + len(body).to_bytes(2, "big") + body)
        return b"".join(made)

    while True:  # some megabytes a second: as much as a camera's network carries
        writer.write(make())
        await writer.drain()
        await asyncio.sleep(0.01)


async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await play(reader, writer)
    for item in frames_of(_CODED):
        writer.write(item)
    await writer.drain()
    await reader.read()


async def lies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await play(reader, writer)
    sequence = second = 0
    while True:
        jump = (second % 3 - 1) * 90_000 * 3600 * 5
        made = frames_of(
            [(data, (pts + second * 90_000 + jump) % (1 << 32)) for data, pts in _CODED], sequence=sequence
        )
        sequence += len(made)
        second += 1
        for number, item in enumerate(made):
            writer.write(item)
            if number % (len(made) // 25 + 1) == 0:
                await writer.drain()
                await asyncio.sleep(1 / 25)


KINDS: dict[str, Serve] = {
    "silent": silent,
    "big_sdp": big_sdp,
    "endless_head": endless_head,
    "garbage": garbage,
    "frames": frames,
    "stalls": stalls,
    "lies": lies,
}


async def main() -> None:
    _CODED.extend((data, pts) for data, pts, _ in encoded(1.0))
    ports = {}
    async with contextlib.AsyncExitStack() as stack:
        for kind, serve in KINDS.items():

            async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, serve: Serve = serve) -> None:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await serve(reader, writer)
                writer.close()

            server = await stack.enter_async_context(await asyncio.start_server(guarded, "127.0.0.1", 0))
            ports[kind] = server.sockets[0].getsockname()[1]
        print(json.dumps(ports), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    started_s = time.monotonic()
    asyncio.run(main())
