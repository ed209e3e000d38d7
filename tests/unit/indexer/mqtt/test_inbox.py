"""The inbox: bounded by number and by bytes, and the connection resumes when half of it is free."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from indexer.mqtt.driver import ManualClient, Received
from indexer.mqtt.inbox import Inbox


class Client:
    resumed = 0

    def resume(self) -> None:
        self.resumed += 1


def message(number: int, size: int = 1) -> Received:
    return Received("t", bytes(size), 1, number, retain=False, dup=False, received_ns=number, client=None)


def filled(inbox: Inbox) -> Client:
    client = Client()
    inbox.filled_by(cast("ManualClient", client))
    return client


@pytest.mark.parametrize(("most", "size"), [({"messages_max": 4}, 1), ({"bytes_max": 40}, 10)])
def test_full_inbox_says_so_and_resumes_once_less_than_half_is_held(most: dict[str, int], size: int) -> None:
    inbox = Inbox(**most)
    client = filled(inbox)
    assert [inbox.put(message(number, size)) for number in range(5)] == [True, True, True, False, False]
    assert (len(inbox), inbox.pauses) == (5, 2)
    taken = inbox.take_now(10)
    assert [each.mid for each in taken] == [0, 1, 2, 3, 4]
    assert len(inbox) == 5  # taken, not committed
    inbox.done(taken[:3])
    assert (len(inbox), client.resumed) == (2, 0)
    inbox.done(taken[3:4])
    assert (len(inbox), client.resumed) == (1, 1)


def test_without_a_connection_there_is_none_to_resume() -> None:
    inbox = Inbox(messages_max=1)
    inbox.put(message(1))
    inbox.done(inbox.take_now(1))
    assert len(inbox) == 0


async def test_take_waits_for_the_first_and_gives_at_most_as_many_as_asked() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.take(2))
    await asyncio.sleep(0)
    assert not waiting.done()
    for number in range(3):
        inbox.put(message(number))
    assert [each.mid for each in await waiting] == [0, 1]
    assert [each.mid for each in await inbox.take(2)] == [2]
    assert inbox.take_now(2) == []
    again: Any = asyncio.create_task(inbox.take(1))
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()
