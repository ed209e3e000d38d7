"""What is sent in pieces: it gives way to what has not begun, and ends with the session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from api.http import priority as precedence
from api.http import streaming
from api.http.priority import Priority
from api.http.streaming import StreamedResponse


@pytest.fixture
def order() -> Priority:
    return Priority()


async def pieces() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number


async def streamed(order: Priority, sent: list[bytes], *, signed_in: bool = True) -> None:
    async def send(message: Message) -> None:
        sent.append(message.get("body", b"head"))

    async def receive() -> Message:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def still() -> bool:
        return signed_in

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


async def test_who_has_signed_out_is_sent_no_more(order: Priority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", -1.0)
    sent: list[bytes] = []
    await streamed(order, sent, signed_in=False)
    assert sent == [b"head"]
    sent.clear()
    await streamed(order, sent, signed_in=True)
    assert sent == [b"head", b"0", b"1", b"2", b""]
