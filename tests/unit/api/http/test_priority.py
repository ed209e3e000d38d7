"""Every way out of a request ends its waiting."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.http.middleware import Guard
from api.http.priority import Priority
from api.metrics.counters import Metrics


@pytest.fixture
def order() -> Priority:
    return Priority()


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
