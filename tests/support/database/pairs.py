"""Transitions in pairs at the same time, from every state: what comes of it must be what one after another would do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import asyncpg

from runtime import sql
from runtime.database import connect
from runtime.settings import DatabaseSettings
from runtime.transitions import Machine, Transition


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How rows of a machine are made and read; ``key``: what ``make`` returns, and the other functions take.

    lock: a statement that holds the row that the transitions wait for; its only parameter is the key's first value
    """

    machine: Machine
    make: Callable[[asyncpg.Connection, str], Awaitable[tuple[Any, ...]]]
    state: Callable[[asyncpg.Connection, tuple[Any, ...]], Awaitable[str]]
    lock: str
    arguments: Mapping[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]]


Load = Callable[[str, str], str]


@asynccontextmanager
async def connections(owner: DatabaseSettings, role: DatabaseSettings) -> AsyncIterator[list[asyncpg.Connection]]:
    """The owner's, one that holds rows, and two of the role."""
    made = [await connect(settings) for settings in (owner, owner, role, role)]
    yield made
    for conn in made:
        await conn.close()


async def wrong_pairs(conns: list[asyncpg.Connection], stand: Stand, load: Load = sql.load) -> list[str]:
    """Every ordered pair from every state; those whose outcome neither order explains. ``load``: the statements."""
    machine = stand.machine
    assert set(stand.arguments) == {each.name for each in machine.transitions}
    wrong = []
    for state, first, second in product(machine.states, machine.transitions, machine.transitions):
        key = await stand.make(conns[0], state)
        found = await _at_once(conns, stand, key, (first, second), load)
        last, took = machine.outcome(state, (first, second))
        other, reversed_took = machine.outcome(state, (second, first))
        if found not in ((last, took), (other, reversed_took[::-1])):
            wrong.append(f"{machine.name}: {first.name} and {second.name} from {state}: {found}")
    return wrong


async def _at_once(
    conns: list[asyncpg.Connection],
    stand: Stand,
    key: tuple[Any, ...],
    pair: tuple[Transition, Transition],
    load: Load,
) -> tuple[str, list[bool]]:
    owner, holder, *both = conns
    async with _held(holder, stand.lock, key[0]):
        tasks = []
        for conn, transition in zip(both, pair, strict=True):
            statement = load(stand.machine.package, transition.statement)
            arguments = stand.arguments[transition.name](key)
            tasks.append(asyncio.create_task(conn.execute(statement, *arguments)))
            await _done_or_blocked(owner, tasks[-1], conn.get_server_pid())
    tags = await asyncio.gather(*tasks)
    took = [int(tag.split()[-1]) > 0 for tag in tags]  # "UPDATE 1", "SELECT 0"
    return await stand.state(owner, key), took


@asynccontextmanager
async def _held(conn: asyncpg.Connection, lock: str, key: Any) -> AsyncIterator[None]:
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute(lock, key)
    yield
    await transaction.rollback()


async def _done_or_blocked(owner: asyncpg.Connection, task: asyncio.Task[str], pid: int) -> None:
    while not task.done() and not await owner.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
        await asyncio.wait((task,), timeout=0.001)
