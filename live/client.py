"""How `serve` asks for a look: a connection that lasts as long as the look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from domain.ids import CameraId, SessionId
from live.errors import LiveAwayError
from live.protocol import Kind, pack_message, read_frame
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
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await connect(self._path, self._uids)
        except (OSError, TimeoutError) as exc:
            raise LiveAwayError(
                f"The role live does not answer ({type(exc).__name__}).", "Check that it runs: `tallenne status`."
            ) from exc
        request = {"session_id": session_id, "purpose_id": purpose_id, "camera_id": camera_id, "offer": offer}
        writer.write(
            pack_message({name: str(value) for name, value in request.items()} | {"small": small, "convert": convert})
        )
        try:
            yield _frames(reader)
        finally:
            writer.close()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    while (frame := await read_frame(reader)) is not None:
        yield frame
