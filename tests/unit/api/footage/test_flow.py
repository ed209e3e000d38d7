"""One GET for what follows on each other; given up when nobody reads on; early bytes that nobody takes cost nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator

import pytest

from api.footage import flow as flow_module
from api.footage.flow import Flow
from storage.store.errors import StoreAwayError

DATA = random.Random(3).randbytes(100_000)


class Store:
    """One object, and how it was asked for."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.gets: list[tuple[int, int]] = []
        self.open = 0
        self._fails_at = fails_at

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        self.gets.append((start, end))
        self.open += 1
        try:
            for at in range(start, end, 7000):
                if self._fails_at is not None and at >= self._fails_at:
                    raise StoreAwayError("The object store broke off.")
                await asyncio.sleep(0)
                yield DATA[at : min(end, at + 7000)]
        finally:
            self.open -= 1


def flow_over(store: Store, stop: int = len(DATA), keep: int = 1000) -> Flow:
    return Flow(store, "name", stop=stop, keep=keep)  # type: ignore[arg-type]


async def test_ranges_in_order_are_one_get_though_they_overlap_by_a_chunk() -> None:
    store = Store()
    flow = flow_over(store)
    for start in range(2000, 90_000, 9000):
        assert await flow(start - 1000, start + 9000) == DATA[start - 1000 : start + 9000]
    assert store.gets == [(1000, len(DATA))]
    await flow.close()
    assert store.open == 0


async def test_a_range_elsewhere_begins_anew() -> None:
    store = Store()
    flow = flow_over(store)
    assert await flow(50_000, 51_000) == DATA[50_000:51_000]
    assert await flow(10_000, 30_000) == DATA[10_000:30_000]
    assert await flow(70_000, 70_010) == DATA[70_000:70_010]
    assert [start for start, _ in store.gets] == [50_000, 10_000, 70_000]
    await flow.close()
    assert store.open == 0


async def test_asked_at_once_it_answers_in_order() -> None:
    store = Store()
    flow = flow_over(store)
    parts = await asyncio.gather(*(flow(at, at + 10_000) for at in range(0, 100_000, 10_000)))
    assert b"".join(parts) == DATA
    assert len(store.gets) == 1
    await flow.close()


async def test_get_that_nobody_reads_on_is_given_up_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_module, "PATIENCE_S", 0.05)
    store = Store()
    flow = flow_over(store)
    assert await flow(0, 10_000) == DATA[:10_000]
    assert store.open == 1
    async with asyncio.timeout(10):
        while store.open:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await flow(10_000, 20_000) == DATA[10_000:20_000]
    assert len(store.gets) == 2
    await flow.close()


async def test_what_was_begun_early_is_taken_once_and_from_its_beginning_only() -> None:
    store = Store()
    flow = flow_over(store)
    await flow.warm(3000, 20_000)
    assert not flow.take(4000)
    assert flow.take(3000)
    assert not flow.take(3000)
    assert await flow(3000, 30_000) == DATA[3000:30_000]
    assert len(store.gets) == 1
    await flow.close()


async def test_store_that_breaks_off_is_told_and_the_next_question_asks_anew() -> None:
    store = Store(fails_at=30_000)
    flow = flow_over(store)
    assert await flow(0, 10_000) == DATA[:10_000]
    with pytest.raises(StoreAwayError):
        await flow(10_000, 60_000)
    assert store.open == 0
    assert await flow(10_000, 20_000) == DATA[10_000:20_000]
    await flow.close()


async def test_whoever_stops_waiting_leaves_no_get_open() -> None:
    store = Store()
    flow = flow_over(store)
    task = asyncio.create_task(flow(0, 100_000))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.open == 0
