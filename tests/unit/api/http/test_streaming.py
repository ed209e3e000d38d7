"""What is sent in pieces: it gives way to what has not begun, and ends with the session."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from starlette.types import Message

from api.http import priority as precedence
from api.http import streaming
from api.http.priority import Priority
from api.http.streaming import StreamedResponse
from runtime.errors import DatabaseAwayError


@pytest.fixture
def order() -> Priority:
    return Priority()


async def pieces() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number


async def streamed(order: Priority, sent: list[bytes]) -> None:
    async def send(message: Message) -> None:
        sent.append(message.get("body", b"head"))

    async def receive() -> Message:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def still() -> bool:
        return True

    await StreamedResponse(200, {}, pieces, order, still, head_only=False)({"type": "http"}, receive, send)


async def test_what_goes_on_waits_for_what_has_not_begun(order: Priority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE_S", 30.0)
    order.arrived()
    sent: list[bytes] = []
    stream = asyncio.create_task(streamed(order, sent))
    await asyncio.sleep(0.05)
    assert sent == [b"head", b"0"]  # its own first piece waits for nobody
    order.begun()
    await asyncio.wait_for(stream, 5)
    assert sent == [b"head", b"0", b"1", b"2", b""]


async def test_nobody_waits_longer_than_a_moment(order: Priority) -> None:
    order.arrived()
    sent: list[bytes] = []
    began_s = time.monotonic()
    await asyncio.wait_for(streamed(order, sent), 10)
    assert sent[-1] == b""
    assert time.monotonic() - began_s >= 3 * precedence.PATIENCE_S * 0.9
    assert order.waiting == 1


class Viewer:
    """Reads ``reads`` pieces and then pauses; ``ended``: the server has ended the connection."""

    def __init__(self, reads: int) -> None:
        self.reads, self.ended = reads, False
        self.sent: list[bytes] = []
        self.left = asyncio.Event()

    async def watch(self, order: Priority, still: Callable[[], Awaitable[bool]]) -> None:
        async def send(message: Message) -> None:
            if len(self.sent) > self.reads:
                await asyncio.sleep(3600)
            self.sent.append(message.get("body", b"head"))

        async def receive() -> Message:
            await self.left.wait()
            return {"type": "http.disconnect"}

        def abort() -> None:
            self.ended = True

        response = StreamedResponse(200, {}, pieces, order, still, head_only=False)
        await response({"type": "http", streaming.ABORT: abort}, receive, send)


async def test_right_that_is_withdrawn_ends_an_answer_that_waits_for_its_reader(
    order: Priority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", 0.01)
    answers = [True, True, False]

    async def still() -> bool:
        return answers.pop(0)

    viewer = Viewer(reads=1)
    await asyncio.wait_for(viewer.watch(order, still), 10)
    assert (viewer.sent, viewer.ended, answers) == ([b"head", b"0"], True, [])


async def test_right_that_lasts_lets_an_answer_wait(order: Priority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", 0.001)
    asked = asyncio.Semaphore(0)

    async def still() -> bool:
        asked.release()
        return True

    viewer = Viewer(reads=1)
    watching = asyncio.create_task(viewer.watch(order, still))
    for _ in range(20):
        await asyncio.wait_for(asked.acquire(), 10)
    assert not watching.done()
    viewer.left.set()
    await asyncio.wait_for(watching, 10)
    assert (viewer.sent, viewer.ended) == ([b"head", b"0"], False)


async def test_answer_goes_on_for_a_while_only_when_rights_cannot_be_looked_up(
    order: Priority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", 0.001)
    monkeypatch.setattr(streaming, "UNKNOWN_S", 0.05)
    asked = 0

    async def still() -> bool:
        nonlocal asked
        asked += 1
        raise DatabaseAwayError("The database is away.")

    viewer = Viewer(reads=1)
    await asyncio.wait_for(viewer.watch(order, still), 10)
    assert viewer.ended and asked > 1


async def test_mistake_in_the_look_up_ends_the_answer_and_shows(
    order: Priority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", 0.001)

    async def still() -> bool:
        raise LookupError("no such query")

    viewer = Viewer(reads=1)
    with pytest.raises(LookupError):
        await asyncio.wait_for(viewer.watch(order, still), 10)


def test_what_is_withdrawn_ends_within_five_seconds() -> None:
    assert 2 * streaming.ASKED_EVERY_S < 5  # the question itself may take as long as the wait for it


def test_no_answer_in_pieces_goes_past_the_right_to_it() -> None:
    """Streams of another kind would go on after a sign-out. Static files hold nothing of anybody."""
    here = Path(streaming.__file__).resolve().parents[1]
    other = re.compile(r"StreamingResponse|FileResponse|EventSource|event-stream")
    found = [path.name for path in here.rglob("*.py") if other.search(path.read_text(encoding="utf-8"))]
    assert found == []
    assert other.search("from starlette.responses import StreamingResponse")
