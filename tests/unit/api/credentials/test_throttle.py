"""Waits after failed attempts: how long they are, and what counts, over a table in memory that keeps what SQL would."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from api.credentials.throttle import PER_ADDRESS, PER_USER, Attempt, Limit, Throttle
from domain.time import HOUR_NS, MINUTE_NS, NS
from runtime import sql

NOW_NS = 1_000_000 * NS
USER, ADDRESS = b"user", b"address"
LIMIT = Limit(free=2)


class Table:
    """sign_in_throttle: key to [failures, last_ns, blocked_until_ns], changed as throttle.sql does."""

    def __init__(self) -> None:
        self.rows: dict[bytes, list[int]] = {}
        self.counted: list[bytes] = []  # in order
        self.transactions: list[str] = []

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Table]:
        yield self

    def transaction(self) -> Transaction:
        return Transaction(self)

    async def fetchrow(self, query: str, key: bytes, now_ns: int, forget_ns: int) -> dict[str, int]:
        assert query == sql.load("api.credentials", "throttle_count")
        self.counted.append(key)
        row = self.rows.setdefault(key, [0, now_ns, 0])
        if row[2] <= now_ns:
            row[0] = 1 if now_ns - row[1] > forget_ns else row[0] + 1
            row[1] = now_ns
        return {"failures": row[0], "blocked_until_ns": row[2]}

    async def execute(self, query: str, key: bytes, *arguments: int) -> None:
        name = next(each for each in sql.queries("api.credentials") if sql.load("api.credentials", each) == query)
        if name == "throttle_block":
            self.rows[key][2] = arguments[0]
        elif name == "throttle_forget":
            self.rows.pop(key, None)
        else:
            assert name == "throttle_take_back"
            self.rows[key] = [max(self.rows[key][0] - 1, 0), self.rows[key][1], 0]


class Transaction:
    def __init__(self, table: Table) -> None:
        self.table = table

    async def start(self) -> None:
        self.before = copy.deepcopy(self.table.rows)

    async def commit(self) -> None:
        self.table.transactions.append("commit")

    async def rollback(self) -> None:
        self.table.transactions.append("rollback")
        self.table.rows = self.before


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def throttle(table: Table) -> Throttle:
    return Throttle(cast("Any", table))


def user(limit: Limit = LIMIT) -> Attempt:
    return Attempt(key=USER, limit=limit)


def test_wait_doubles_up_to_the_longest() -> None:
    waits = [PER_USER.wait_ns(failures) // NS for failures in range(9)]
    assert waits == [0, 0, 0, 0, 0, 0, 1, 2, 4]
    assert [PER_USER.wait_ns(5 + over) for over in (10, 11, 1000)] == [512 * NS, 15 * MINUTE_NS, 15 * MINUTE_NS]
    assert Limit(free=0).wait_ns(10_000) == 15 * MINUTE_NS
    assert Limit(free=0, longest_ns=10**30).wait_ns(10_000) == NS << 20
    assert [Limit(free=0, longest_ns=3 * NS).wait_ns(failures) // NS for failures in range(5)] == [0, 1, 2, 3, 3]


def test_first_wait_may_be_longer_than_a_second() -> None:
    limit = Limit(free=1, first_ns=5 * MINUTE_NS, longest_ns=HOUR_NS)
    assert [limit.wait_ns(failures) // MINUTE_NS for failures in range(8)] == [0, 0, 5, 10, 20, 40, 60, 60]


def test_limits_are_those_that_the_interface_names() -> None:
    assert (PER_USER.free, PER_ADDRESS.free) == (5, 20)
    for limit in (PER_USER, PER_ADDRESS):
        assert (limit.longest_ns, limit.forget_ns) == (15 * MINUTE_NS, 4 * HOUR_NS)


async def test_attempts_beyond_the_free_ones_wait_and_do_not_count_meanwhile(table: Table, throttle: Throttle) -> None:
    assert [await throttle.begin([user()], NOW_NS) for _ in range(5)] == [0, 0, 0, NS, NS]
    assert table.rows[USER] == [3, NOW_NS, NOW_NS + NS]
    assert await throttle.begin([user()], NOW_NS + NS - 1) == 1
    assert await throttle.begin([user()], NOW_NS + NS) == 0
    assert table.rows[USER] == [4, NOW_NS + NS, NOW_NS + 3 * NS]
    assert table.transactions == ["commit"] * 3 + ["rollback"] * 3 + ["commit"]


async def test_one_key_that_waits_keeps_the_other_from_counting(table: Table, throttle: Throttle) -> None:
    address = Attempt(key=ADDRESS, limit=Limit(free=0))
    assert await throttle.begin([user(), address], NOW_NS) == 0
    assert table.rows == {USER: [1, NOW_NS, NOW_NS], ADDRESS: [1, NOW_NS, NOW_NS + NS]}
    assert await throttle.begin([user(), address], NOW_NS) == NS
    assert table.rows[USER] == [1, NOW_NS, NOW_NS]
    assert await throttle.begin([user()], NOW_NS) == 0


async def test_the_longest_wait_is_told(throttle: Throttle) -> None:
    attempts = [Attempt(key=ADDRESS, limit=Limit(free=0)), Attempt(key=USER, limit=Limit(free=0))]
    await throttle.begin([attempts[0]], NOW_NS - 1)
    await throttle.begin([attempts[1]], NOW_NS)
    for order in (attempts, attempts[::-1]):
        assert await throttle.begin(order, NOW_NS) == NS


async def test_keys_are_counted_in_one_order(table: Table, throttle: Throttle) -> None:
    address = Attempt(key=ADDRESS, limit=LIMIT)
    await throttle.begin([user(), address], NOW_NS)
    await throttle.begin([address, user()], NOW_NS)
    assert table.counted == [ADDRESS, USER] * 2


async def test_nothing_to_count_waits_for_nothing(throttle: Throttle) -> None:
    assert await throttle.begin([], NOW_NS) == 0


@pytest.mark.parametrize(("pause_ns", "failures"), [(4 * HOUR_NS, 3), (4 * HOUR_NS + 1, 1)])
async def test_failures_are_forgotten_after_a_while(
    table: Table, throttle: Throttle, pause_ns: int, failures: int
) -> None:
    for _ in range(2):
        await throttle.begin([user()], NOW_NS)
    await throttle.begin([user()], NOW_NS + pause_ns)
    assert table.rows[USER][0] == failures


async def test_success_forgives_the_user_and_takes_one_back_from_the_address(table: Table, throttle: Throttle) -> None:
    address = Attempt(key=ADDRESS, limit=LIMIT)
    for _ in range(3):
        await throttle.begin([user(), address], NOW_NS)
    await throttle.forgive(USER)
    await throttle.take_back(ADDRESS)
    assert table.rows == {ADDRESS: [2, NOW_NS, 0]}
    assert await throttle.begin([user()], NOW_NS) == 0
