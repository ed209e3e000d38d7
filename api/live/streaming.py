"""One answer for all looks of a page: frames of each, as the role `live` sends them, behind the look's number.

A frame is a kind and the look's number of a byte each, a length of four, and the contents (live/protocol.py). The
answer is the looks' life: they end when the browser goes.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from domain.errors import TallenneError
from domain.ids import CameraId, SessionId
from live.client import LiveClient
from live.protocol import Kind

ALIVE_EVERY_S: Final = 10.0
"""So often something is sent where nothing happens: a proxy would take the answer for a dead one."""
NO_LOOK: Final = 255
_WAITING_MAX: Final = 32
Place = Callable[[], AbstractContextManager[bool]]
Tell = Callable[[int, dict[str, Any]], Awaitable[None]]
HEAD: Final = struct.Struct(">BBI")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAsked:
    """A camera, and the browser's offer, or nothing for fragments.

    small: its second stream will do; convert: what is not H.264 is wanted as that
    """

    camera_id: CameraId
    offer: str
    small: bool = False
    convert: bool = False


class _Merged:
    """The frames of several looks in one queue. ``present``: looks that are on record, since the role has answered."""

    def __init__(self, client: LiveClient, who: dict[str, Any], place: Place) -> None:
        self._client, self._who, self._place = client, who, place
        self.waiting: asyncio.Queue[bytes | TallenneError | None] = asyncio.Queue(_WAITING_MAX)
        self.present: set[int] = set()

    async def one(self, number: int, look: LookAsked) -> None:
        """Queue the frames of one look, then None."""
        with self._place() as free:
            if free:
                await self._one(number, look)
            else:
                await self.waiting.put(_message(number, {"ended": "busy"}))
                await self.waiting.put(None)

    async def _one(self, number: int, look: LookAsked) -> None:
        try:
            opened = self._client.look(
                **self._who, camera_id=look.camera_id, offer=look.offer, small=look.small, convert=look.convert
            )
            # An async generator, though its type says only that it can be iterated.
            async with opened as found, aclosing(cast("Any", found)) as each:
                async for kind, body in each:
                    if kind is not Kind.MESSAGE or b'"ended"' not in body:
                        self.present.add(number)
                    await self.waiting.put(HEAD.pack(kind, number, len(body)) + body)
        except TallenneError as error:
            await self.waiting.put(error)
        finally:
            self.present.discard(number)
            await self.waiting.put(None)

    async def tell(self, number: int, message: dict[str, Any]) -> None:
        """Queue a message about one of the cameras, if it is watched."""
        if number in self.present:
            await self.waiting.put(_message(number, message))


async def frames(
    client: LiveClient,
    session_id: SessionId,
    purpose_id: UUID,
    asked: Sequence[LookAsked],
    beside: Callable[[Tell], Awaitable[None]] | None = None,
    place: Place = lambda: nullcontext(True),
) -> AsyncIterator[bytes]:
    """The frames of all looks until the last one ends. LiveAwayError, SocketError, where none of them begins.

    ``beside``: sends what else happens at the cameras; it runs until then. ``place``: is held while a look lasts, and
    says whether there was one
    """
    merged = _Merged(client, {"session_id": session_id, "purpose_id": purpose_id}, place)
    tasks = [asyncio.create_task(merged.one(number, look), name="live look") for number, look in enumerate(asked)]
    left, begun = len(tasks), False
    if beside is not None:
        tasks.append(asyncio.create_task(_run(beside, merged.tell), name="beside live looks"))
    try:
        while left:
            item = await _next(merged.waiting)
            if item is None:
                left -= 1
            elif isinstance(item, bytes):
                begun = True
                yield item
            elif not begun:
                raise item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(beside: Callable[[Tell], Awaitable[None]], tell: Tell) -> None:
    await beside(tell)


async def _next(waiting: asyncio.Queue[bytes | TallenneError | None]) -> bytes | TallenneError | None:
    try:
        async with asyncio.timeout(ALIVE_EVERY_S):
            return await waiting.get()
    except TimeoutError:
        return _message(NO_LOOK, {"alive": True})


def _message(number: int, message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return HEAD.pack(Kind.MESSAGE, number, len(body)) + body
