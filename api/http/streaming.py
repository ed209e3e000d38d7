"""A streamed answer, unbuffered: made while it is sent, given up when the client stops reading, cut on errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, cast

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from api.http.priority import Priority
from domain.errors import TallenneError

_log = logging.getLogger(__name__)
SEND_DEADLINE_S: Final = 120.0
"""A paused player stops reading; after this long it has to ask again, with a range."""

ASKED_EVERY_S: Final = 3.0
"""So often a long answer looks whether who asked for it is still signed in."""

Stream = AsyncIterator[bytes | memoryview]


class StreamedResponse(Response):
    """The first piece is made before the status is sent, so that it can still be 503."""

    def __init__(
        self,
        status: int,
        headers: dict[str, str],
        stream: Callable[[], Stream],
        priority: Priority,
        still: Callable[[], Awaitable[bool]],
        *,
        head_only: bool,
    ) -> None:
        super().__init__(status_code=status, headers=headers)
        self._still = still
        self._stream = stream
        self._priority = priority
        self._head_only = head_only

    def init_headers(self, headers: Any = None) -> None:
        """As given: Starlette would add the length of an empty body."""
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if self._head_only:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.create_task(_disconnected(receive), name="client gone")
        # An async generator, though its type says only that it can be iterated.
        stream = cast("Any", self._stream())
        try:
            async with aclosing(stream):
                await self._send(stream, start, send, gone)
        except (TimeoutError, OSError):
            return
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _send(self, stream: Stream, start: dict[str, Any], send: Send, gone: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        piece = await anext(stream)
        await send(start)
        asked_s = loop.time()
        try:
            while piece and not gone.done():
                if loop.time() - asked_s > ASKED_EVERY_S:
                    asked_s = loop.time()
                    if not await self._allowed():
                        return  # short of its length, as any answer that breaks off
                async with asyncio.timeout(SEND_DEADLINE_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await self._priority.give_way()
                piece = await anext(stream, b"")
        except TallenneError as exc:
            # The status is sent already: breaking off short of the length is the only thing left to say.
            _log.warning("an answer broke off: %s", exc)
            return
        if not piece:
            await send({"type": "http.response.body", "body": b""})

    async def _allowed(self) -> bool:
        """True, too, when that cannot be found out now."""
        try:
            return await self._still()
        except TallenneError:
            return True


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
