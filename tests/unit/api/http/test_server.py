"""The end of the HTTPS server: answers under way end in good order, and nothing of that looks like a mistake."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.certificates import certificate_for
from api.http.priority import Priority
from api.http.server import listen, serving
from api.http.streaming import StreamedResponse
from api.settings import ServeSettings

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Answers:
    """An application whose answers take their time. ``open``: how many are under way."""

    def __init__(self, may: bool = True) -> None:
        self.may = may
        self.open = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            while True:
                yield b"x" * 100_000
                await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(0.05)  # as one that closes connections of its own
            self.open -= 1

    async def _still(self) -> bool:
        return self.may

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = StreamedResponse(200, {"A": "b"}, self.pieces, Priority(), self._still, head_only=False)
        await answer(scope, receive, send)

    async def slow(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        self.open += 1
        try:
            await asyncio.sleep(60)
        finally:
            self.open -= 1


@contextlib.asynccontextmanager
async def served(answer: ASGIApp, folder: Path) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that connects and asks."""

    async def app(
        scope: Scope, receive: Receive, send: Send
    ) -> None:  # of a method, uvicorn takes the first argument off
        await answer(scope, receive, send)

    paths: Any = dict.fromkeys(("custodian_socket", "run_directory"), folder)
    settings = ServeSettings(database=None, store=None, secret_directory=folder / "api", **paths)  # type: ignore[arg-type]
    settings.secret_directory.mkdir(mode=0o700)
    certificate, sock = certificate_for(settings), listen(settings)
    context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
    asked: list[asyncio.StreamWriter] = []

    async def ask() -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1], ssl=context, limit=1 << 10)
        asked.append(writer)
        writer.write(HEAD)
        return reader

    try:
        async with serving(app, settings, certificate, sock):
            await asyncio.sleep(0.1)  # it listens from now on
            yield ask
    finally:
        for writer in asked:
            writer.transport.abort()
        await asyncio.sleep(0.1)


async def drained(reader: asyncio.StreamReader) -> int:
    size = 0
    with contextlib.suppress(OSError):
        while piece := await reader.read(1 << 16):
            size += len(piece)
    return size


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("kind", ["stream", "slow"])
def test_answers_under_way_end_with_the_role_and_leave_no_traceback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    run: Callable[[Any], None],
) -> None:
    """One that is read and one whose reader pauses; of both the parts that they use are closed only after them."""
    monkeypatch.setattr("api.http.server._GRACE_S", 0.5)
    caplog.set_level(logging.INFO)
    answers = Answers()

    async def look() -> None:
        async with served(getattr(answers, kind), tmp_path) as ask:
            await ask()
            reading = asyncio.create_task(drained(await ask()))
            async with asyncio.timeout(10):
                while answers.open < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            began = time.monotonic()
            asyncio.get_running_loop().call_later(0.4, lambda: left.append(answers.open))
        assert left == [2]  # they had their time
        assert 0.5 <= time.monotonic() - began < 2
        assert answers.open == 0
        assert (await reading > 100_000) is (kind == "stream")

    left: list[int] = []
    run(look())
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert [line for line in lines if line[0] > logging.INFO] == []
    assert lines.count((logging.INFO, "an answer broke off: the role stops")) == 2


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_answer_whose_right_is_withdrawn_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, run: Callable[[Any], None]
) -> None:
    monkeypatch.setattr("api.http.streaming.ASKED_EVERY_S", 0.1)
    caplog.set_level(logging.INFO)
    answers = Answers(may=False)

    async def look() -> None:
        async with served(answers.stream, tmp_path) as ask, asyncio.timeout(10):
            assert await drained(await ask()) > 0
            assert answers.open == 0

    run(look())
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    assert "an answer broke off: the right to it is gone" in [record.getMessage() for record in caplog.records]
