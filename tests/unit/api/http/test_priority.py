"""Answers that have not begun go before the rest of those that have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.http import priority as precedence
from api.http import streaming
from api.http.middleware import Guard
from api.http.priority import Priority
from api.http.streaming import StreamedResponse
from api.metrics.counters import Metrics


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


async def asked(order: Priority, app: Any, tmp_path: Any, **headers: str) -> list[Message]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await Guard(app, Metrics(tmp_path), order, only_tls=False)(scope, receive, send)
    return sent


async def test_every_way_out_ends_the_waiting(order: Priority, tmp_path: Any) -> None:
    seen: list[int] = []

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(order.waiting)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        seen.append(order.waiting)
        await send({"type": "http.response.body", "body": b"rest"})

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no answer")

    async def says_nothing(scope: Scope, receive: Receive, send: Send) -> None:
        return

    await asked(order, answers, tmp_path)
    assert (seen, order.waiting) == ([1, 0], 0)
    assert (await asked(order, PlainTextResponse("x"), tmp_path, content_length="9999999"))[0]["status"] == 413
    assert order.waiting == 0
    with pytest.raises(RuntimeError):
        await asked(order, breaks, tmp_path)
    assert order.waiting == 0
    await asked(order, says_nothing, tmp_path)
    assert order.waiting == 0
