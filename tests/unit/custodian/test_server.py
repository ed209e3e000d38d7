"""The custodian's socket: idle connections keep nobody out, and a stranger's attempts do not fill the log."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from custodian import server as module
from custodian.client import CustodianClient
from custodian.errors import CustodianAwayError
from custodian.protocol import Peer, pack_message, read_message
from custodian.server import STRANGERS_LINES_MAX, Server, Strangers

pytestmark = pytest.mark.trust
LIMIT = 4
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Stand:
    """A server whose one operation waits for as long as a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.client = CustodianClient(path, deadline_s=10)
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def answer(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        self.asked += 1
        await self.may_answer.wait()
        return {"asked": self.asked}


@asynccontextmanager
async def stand(path: Path, monkeypatch: pytest.MonkeyPatch, uid: int = os.geteuid()) -> AsyncIterator[Stand]:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", LIMIT)
    made = Stand(path / "socket")
    made.may_answer.set()
    async with Server({"status": made.answer}, {"status": [uid]}).listening(made.path):
        yield made


@asynccontextmanager
async def connected(path: Path, count: int) -> AsyncIterator[list[Streams]]:
    async with AsyncExitStack() as stack:
        streams = []
        for _ in range(count):
            streams.append(await asyncio.open_unix_connection(str(path)))
            stack.callback(streams[-1][1].close)
        yield streams


async def test_idle_connections_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand(tmp_path, monkeypatch) as made, connected(made.path, 10 * LIMIT) as idle:
        for number in range(1, 10):
            assert await made.client.status() == {"asked": number}
        closed = [await asyncio.wait_for(reader.read(), 10) for reader, _ in idle[: 9 * LIMIT]]
        assert closed == [b""] * len(closed)  # the oldest made room


async def test_connection_that_sends_half_a_question_is_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand(tmp_path, monkeypatch) as made, connected(made.path, LIMIT) as halves:
        for _, writer in halves:
            writer.write(pack_message({"op": "status"})[:-1])
        assert await made.client.status() == {"asked": 1}


async def test_connection_that_is_being_answered_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand(tmp_path, monkeypatch) as made:
        made.may_answer.clear()
        async with connected(made.path, LIMIT) as busy:
            for _, writer in busy:
                writer.write(pack_message({"op": "status"}))
            async with asyncio.timeout(10):
                while made.asked < LIMIT:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            with pytest.raises(CustodianAwayError):
                await made.client.status()
            made.may_answer.set()
            assert [await read_message(reader, 1000) for reader, _ in busy] == [{"ok": {"asked": LIMIT}}] * LIMIT
            assert await made.client.status() == {"asked": LIMIT + 1}


def test_each_user_has_connections_of_its_own() -> None:
    server = Server({}, {"status": [1, 2]})
    assert server._of_user[1] is not server._of_user[2]
    assert server._of_user[1] is server._of_user[1]


async def test_strangers_are_turned_away_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with stand(tmp_path, monkeypatch, uid=os.geteuid() + 1) as made:
        for _ in range(50):
            with pytest.raises(CustodianAwayError):
                await made.client.status()
    assert len(caplog.records) == 1
    assert made.asked == 0


def test_log_names_a_stranger_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    strangers = Strangers()
    with caplog.at_level(logging.WARNING):
        for second in range(180):
            for _ in range(10):
                strangers.note(1001, second)
            strangers.note(1002 + second % 2, second)
    assert strangers.count == 11 * 180
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "user 1001" in line]) == 3
    assert "600 times" in lines[-3] + lines[-2] + lines[-1]
    assert len(lines) == 9


def test_strangers_of_many_names_are_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    strangers = Strangers()
    for uid in range(1000):
        strangers.note(uid, 0)
    assert len(strangers._of_user) == 64


def test_strangers_of_many_names_share_the_lines_of_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """An attacker has as many addresses as it likes, and the disk has an end."""
    strangers = Strangers("a TLS handshake of %s failed, %d times lately")
    for attempt in range(12_000):
        strangers.note(f"2001:db8::{attempt:x}", attempt / 100, "it shows no certificate")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "a TLS handshake of 2001:db8::0 failed, 1 times lately: it shows no certificate"
    assert len(lines) == 2 * STRANGERS_LINES_MAX + 1
    assert lines[STRANGERS_LINES_MAX] == "5990 more attempts to connect were refused and not named here"
    assert strangers.count == 12_000


@pytest.mark.parametrize("odd", [5, None, [5], {}, 1e400, -1e400, float("nan"), "\ud800"])
async def test_request_with_values_of_any_kind_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, odd: Any
) -> None:
    async def as_id(request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"id": str(UUID(request["value"]))}

    async def as_number(request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"number": int(request["value"])}

    table = {"as_id": as_id, "as_number": as_number}
    async with Server(table, dict.fromkeys(table, (os.geteuid(),))).listening(tmp_path / "socket"):
        for op in table:
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "socket"))
            writer.write(pack_message({"op": op, "value": odd}))
            answer = await read_message(reader, 10_000)
            assert answer is not None and (answer == {"ok": {"number": 5}} or answer["error"]["code"] == "misuse")
            writer.close()
    assert caplog.records == []
