"""How `serve` asks for a look, and for the conversion of what is recorded: a connection that lasts as long as that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from domain.ids import CameraId, SessionId
from live.errors import ConversionBrokenError, ConversionsFullError, LiveAwayError
from live.protocol import (
    Kind,
    Picture,
    Stream,
    pack_message,
    pack_picture,
    pack_stream,
    read_frame,
    read_message,
    read_picture,
    read_stream,
)
from live.settings import SOCKET
from live.sockets import connect

_CONNECT_S: Final = 5.0
Frame = tuple[Kind, bytes]


class LiveClient:
    """``uids``: the users under which the role may run."""

    def __init__(self, run_directory: Path, uids: Collection[int]) -> None:
        self._path, self._uids = run_directory / SOCKET, uids

    @asynccontextmanager
    async def look(
        self,
        *,
        session_id: SessionId,
        purpose_id: UUID,
        camera_id: CameraId,
        offer: str,
        small: bool = False,
        convert: bool = False,
    ) -> AsyncIterator[AsyncIterator[Frame]]:
        """The frames of a look: messages first. It ends with the block. LiveAwayError, SocketError.

        ``offer``: the browser's SDP; empty for fragments. ``small``: of the camera's second stream, where it has one
        ``convert``: as H.264, where the camera sends something else
        """
        reader, writer = await self._connected()
        request = {"session_id": session_id, "purpose_id": purpose_id, "camera_id": camera_id, "offer": offer}
        writer.write(
            pack_message({name: str(value) for name, value in request.items()} | {"small": small, "convert": convert})
        )
        try:
            yield _frames(reader)
        finally:
            writer.close()

    async def convert(self, pictures: AsyncIterator[Stream | Picture]) -> AsyncIterator[Stream | Picture]:
        """Recorded pictures, behind what describes them, as H.264. What ``pictures`` raises, and

        ConversionsFullError, LiveAwayError, SocketError; ConversionBrokenError: they cannot be converted.
        """
        reader, writer = await self._connected()
        writer.write(pack_message({"recorded": True}))
        feeding: asyncio.Task[None] | None = None
        try:
            async for kind, body in _frames(reader):
                if kind is Kind.STREAM:
                    yield read_stream(body)
                elif kind is Kind.PICTURE:
                    yield read_picture(body)
                elif "begun" in (message := read_message(body)) and feeding is None:
                    feeding = asyncio.create_task(_feed(writer, pictures), name="recorded pictures")
                elif _is_whole(str(message.get("ended"))):
                    return
            if feeding is not None and feeding.done():
                feeding.result()
            raise LiveAwayError("The role live does not go on.", "Check that it runs: `tallenne status`.")
        finally:
            writer.close()
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await connect(self._path, self._uids)
        except (OSError, TimeoutError) as exc:
            raise LiveAwayError(
                f"The role live does not answer ({type(exc).__name__}).", "Check that it runs: `tallenne status`."
            ) from exc


async def _feed(writer: asyncio.StreamWriter, pictures: AsyncIterator[Stream | Picture]) -> None:
    """All of them; where they cannot be read, the connection ends."""
    try:
        async with aclosing(cast("Any", pictures)) as each:
            async for item in each:
                writer.write(pack_stream(item) if isinstance(item, Stream) else pack_picture(item))
                await writer.drain()
        writer.write(pack_message({"end": True}))
    except BaseException:
        writer.close()
        raise


def _is_whole(ended: str) -> bool:
    if ended in ("conversions", "busy"):
        raise ConversionsFullError("No further camera can be converted now.", "Raise [live] conversions_max, or H.264.")
    if ended == "broken":
        raise ConversionBrokenError("The footage cannot be converted.", "An export has it as it was recorded.")
    return ended == "done"


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    while (frame := await read_frame(reader)) is not None:
        yield frame
