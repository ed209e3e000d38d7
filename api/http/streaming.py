"""A streamed answer, unbuffered: created while it is sent, ended when the client stops reading, cut on errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, cast

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from api.http.priority import Priority
from domain.errors import TallenneError

_log = logging.getLogger(__name__)
SEND_DEADLINE_S: Final = 120.0
"""A paused player stops reading; after this long it has to ask again, with a range."""

ASKED_EVERY_S: Final = 2.0
"""So often a long answer looks whether who asked for it may still have it. What was withdrawn ends within 5 s."""
UNKNOWN_S: Final = 15.0
"""So long it goes on while that cannot be found out, since the database is away."""

STREAMED: Final = "tallenne.streamed"
"""In a request's scope: its answer is such a stream, whose reader may pause."""
ABORT: Final = "tallenne.abort"
"""In a request's scope, where the server has put it: ends the connection at once."""

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
        scope[STREAMED] = True
        # An async generator, though its type says only that it can be iterated.
        stream = cast("Any", self._stream())
        async with aclosing(stream):
            sending = asyncio.create_task(self._send(stream, start, send), name="answer in pieces")
            gone = asyncio.create_task(_disconnected(receive), name="client gone")
            withdrawn = asyncio.create_task(self._withdrawn(), name="right to an answer")
            await _first((sending, gone, withdrawn))
        if not withdrawn.cancelled():
            _log.info("an answer broke off: the right to it is gone")
            scope.get(ABORT, _nothing)()  # what lies in buffers is not delivered, however slowly it is read
            withdrawn.result()
        if not sending.cancelled():
            with contextlib.suppress(TimeoutError, OSError):
                sending.result()

    async def _send(self, stream: Stream, start: dict[str, Any], send: Send) -> None:
        piece = await anext(stream)
        await send(start)
        try:
            while piece:
                async with asyncio.timeout(SEND_DEADLINE_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await self._priority.give_way()
                piece = await anext(stream, b"")
        except TallenneError as exc:
            # The status is sent already: breaking off before the announced length is the only way to report it.
            _log.warning("an answer broke off: %s", exc)
            return
        await send({"type": "http.response.body", "body": b""})

    async def _withdrawn(self) -> None:
        """Returns once who asked may have it no more: the answer then ends, even one that waits for its reader."""
        loop = asyncio.get_running_loop()
        known_s = loop.time()
        while loop.time() - known_s < UNKNOWN_S:
            await asyncio.sleep(ASKED_EVERY_S)
            with contextlib.suppress(TallenneError):
                if not await self._still():
                    return
                known_s = loop.time()


async def _first(tasks: Sequence[asyncio.Task[None]]) -> None:
    """When the first one has ended, the others are cancelled and waited for."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _nothing() -> None:
    """In place of a connection's end, where no server stands behind."""


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
