"""One answer for several looks: frames of each under its number, until the last one has ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, cast

import pytest

from api.live import streaming as module
from api.live.room import PERSON_LOOKS_MAX, Places
from api.live.streaming import HEAD, NO_LOOK, LookAsked, frames
from domain.ids import CameraId, SessionId, StaffId
from live.client import LiveClient
from live.errors import LiveAwayError
from live.protocol import Kind


class Client:
    """In place of the role: each look gives what its offer says, and then waits if that says so."""

    def __init__(self) -> None:
        self.present = 0

    @contextlib.asynccontextmanager
    async def look(self, *, offer: str, **_: Any) -> AsyncIterator[AsyncIterator[tuple[Kind, bytes]]]:
        if offer == "away":
            raise LiveAwayError("Away.")

        async def found() -> AsyncIterator[tuple[Kind, bytes]]:
            for each in offer.split():
                if each == "wait":
                    await asyncio.sleep(60)
                yield Kind.FRAGMENT, each.encode()

        self.present += 1
        try:
            yield found()
        finally:
            self.present -= 1


def asked(client: Client, *offers: str) -> AsyncIterator[bytes]:
    looks = [LookAsked(camera_id=CameraId(uuid.uuid4()), offer=offer) for offer in offers]
    return frames(cast("LiveClient", client), SessionId(uuid.uuid4()), uuid.uuid4(), looks)


async def test_frames_carry_their_looks_number_and_the_answer_ends_with_the_last() -> None:
    found = [piece async for piece in asked(Client(), "a b c", "d")]
    heads = [HEAD.unpack_from(piece) for piece in found]
    assert all(size == len(piece) - HEAD.size for (_, _, size), piece in zip(heads, found, strict=True))
    of = [b"".join(p[HEAD.size :] for h, p in zip(heads, found, strict=True) if h[1] == n) for n in (0, 1)]
    assert of == [b"abc", b"d"]


async def test_the_looks_end_with_the_answer() -> None:
    client = Client()
    stream: Any = asked(client, "a wait", "b wait")
    await anext(stream)
    assert client.present == 2
    await stream.aclose()
    assert client.present == 0


async def test_a_role_that_is_away_is_an_error_unless_something_was_sent() -> None:
    with pytest.raises(LiveAwayError):
        await anext(asked(Client(), "away"))
    found = [piece async for piece in asked(Client(), "a", "away")]
    assert len(found) == 1


async def test_what_is_told_beside_is_a_message_of_its_camera_and_ends_with_the_looks() -> None:
    ended = []

    async def beside(tell: Any) -> None:
        try:
            await asyncio.sleep(0.05)
            await tell(0, {"event": "of a look that is not on record"})
            await tell(1, {"event": "x"})
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    client: Any = Client()
    looks = [LookAsked(camera_id=CameraId(uuid.uuid4()), offer=offer) for offer in ("wait", "a wait")]
    stream: Any = frames(client, SessionId(uuid.uuid4()), uuid.uuid4(), looks, beside)
    assert HEAD.unpack_from(await anext(stream))[:2] == (Kind.FRAGMENT, 1)
    piece = await anext(stream)
    assert HEAD.unpack_from(piece)[:2] == (Kind.MESSAGE, 1)
    assert json.loads(piece[HEAD.size :]) == {"event": "x"}
    await stream.aclose()
    assert ended == [True]


async def test_something_is_sent_where_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALIVE_EVERY_S", 0.05)
    stream: Any = asked(Client(), "wait")
    piece = await anext(stream)
    assert HEAD.unpack_from(piece)[:2] == (Kind.MESSAGE, NO_LOOK)
    assert json.loads(piece[HEAD.size :]) == {"alive": True}
    await stream.aclose()


async def test_look_without_a_place_is_told_so_and_the_others_go_on() -> None:
    places, one = Places(), StaffId(uuid.uuid4())
    client = Client()
    looks = [LookAsked(camera_id=CameraId(uuid.uuid4()), offer=offer) for offer in ["a wait"] * PERSON_LOOKS_MAX]
    ids = SessionId(uuid.uuid4()), uuid.uuid4()
    first: Any = frames(cast("LiveClient", client), *ids, looks, None, partial(places.take, one))
    for _ in looks:
        assert HEAD.unpack_from(await anext(first))[0] == Kind.FRAGMENT
    more = [LookAsked(camera_id=CameraId(uuid.uuid4()), offer="b")]
    found = [piece async for piece in frames(cast("LiveClient", client), *ids, more, None, partial(places.take, one))]
    assert [json.loads(piece[HEAD.size :]) for piece in found] == [{"ended": "busy"}]
    assert client.present == PERSON_LOOKS_MAX
    other = partial(places.take, StaffId(uuid.uuid4()))
    assert [piece[HEAD.size :] async for piece in frames(cast("LiveClient", client), *ids, more, None, other)] == [b"b"]
    await first.aclose()
    with places.take(one) as free:
        assert free
    assert places.people == 0
