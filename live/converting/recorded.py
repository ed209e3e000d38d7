"""A piece of recorded footage as H.264, for `serve`, which has opened it and may show it.

`serve` sends STREAM and PICTURE frames and then a MESSAGE; a process of its own converts this piece alone and goes with
it. What comes out is sent as it is made, and at the end a MESSAGE that says how it ended: `done`, or `broken` where the
process died of what it was given.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from domain.errors import TallenneError
from live.converting.converted import Conversions
from live.converting.process import FRAME_MAX, converting_process
from live.protocol import Kind, pack_frame, pack_message, read_frame

STUCK_S: Final = 15.0
"""So long may nothing come of the process, or nothing be taken or given by the other side."""
PIECE_MAX_S: Final = 180.0


async def convert_recorded(conversions: Conversions, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """How it ended. ConversionsFullError. It ends early when the other side closes the connection."""
    async with conversions.place():
        with contextlib.suppress(TallenneError, OSError, TimeoutError):
            async with asyncio.timeout(PIECE_MAX_S), converting_process() as made:
                writer.write(pack_message({"begun": True}))
                feeding = asyncio.create_task(_feed(reader, made.stdin), name="recorded pictures to convert")
                giving = asyncio.create_task(_give(made.stdout, writer), name="converted pictures")
                try:
                    await asyncio.wait((feeding, giving), return_when=asyncio.FIRST_COMPLETED)
                    if not giving.done():
                        feeding.result()  # else the other side has gone: nothing is owed to it
                        await giving
                    giving.result()
                    is_whole = feeding.done() and feeding.exception() is None
                finally:
                    for task in (feeding, giving):
                        task.cancel()
                    await asyncio.gather(feeding, giving, return_exceptions=True)
                return "done" if is_whole and await made.process.wait() == 0 else "broken"
    return "broken"


async def _feed(reader: asyncio.StreamReader, stdin: asyncio.StreamWriter) -> None:
    """Until the MESSAGE behind the last picture. ConnectionError: the other side has gone."""
    while True:
        async with asyncio.timeout(STUCK_S):
            frame = await read_frame(reader)
        if frame is None:
            raise ConnectionResetError
        if frame[0] not in (Kind.STREAM, Kind.PICTURE):
            stdin.close()
            return
        stdin.write(pack_frame(*frame))
        async with asyncio.timeout(STUCK_S):
            await stdin.drain()


async def _give(stdout: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the process ends."""
    while True:
        async with asyncio.timeout(STUCK_S):
            frame = await read_frame(stdout, FRAME_MAX)
            if frame is None:
                return
            writer.write(pack_frame(*frame))
            await writer.drain()
