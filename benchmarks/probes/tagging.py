"""A thousand door messages to committed events and tags; the CPU of the indexer's code and of PostgreSQL together."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from pathlib import Path

import asyncpg

from benchmarks.frame.accounting import Accounts
from benchmarks.frame.shipped import SITE
from benchmarks.frame.stand import SITE_ID, Stand, open_stand
from benchmarks.load.rows import generate_rows
from benchmarks.probes.cost import main
from domain.time import HOUR_NS, MINUTE_NS, to_iso
from indexer.counters import Counters
from indexer.events.quarantine import Quarantine
from indexer.events.receive import Receiver, load_names, load_skew
from indexer.events.rules import Rules
from indexer.mqtt.driver import Received
from indexer.settings import TopicRule
from indexer.tagger import Tagger
from runtime import sql
from runtime.database import connect, open_pool

_MESSAGES = 1000


async def _prepare(stand: Stand, now_ns: int) -> list[str]:
    conn = await connect(stand.owner, statement_timeout_s=0)
    await generate_rows(conn, stand.cameras, 20_000, now_ns + 5 * MINUTE_NS)
    made = await conn.fetch(sql.load("benchmarks", "members_generate"), 100)
    await conn.close()
    return [row["credential"] for row in made]


class _Work:
    """The indexer's parts without its session."""

    def __init__(self, pool: asyncpg.Pool, receiver: Receiver, credentials: list[str], now_ns: int) -> None:
        self._pool, self._receiver, self._credentials, self._now_ns = pool, receiver, credentials, now_ns
        self._tagger = Tagger(pool, Counters(), clock_ns=time.time_ns)

    async def run_once(self) -> None:
        """New events every time, spread over the last quarter of an hour."""
        batch = self._receiver.decode([self._message(number) for number in range(_MESSAGES)])
        await self._receiver.commit(self._pool, batch, None)
        while (await self._tagger.join()).taken:
            pass

    def _message(self, number: int) -> Received:
        body = {
            "event_id": str(uuid.uuid4()),
            "occurred_at": to_iso(self._now_ns - number * HOUR_NS // 4 // _MESSAGES),
            "kind": "granted",
            "credential": self._credentials[number % len(self._credentials)],
        }
        topic, payload = f"access/{SITE}/door-{number % 10}", json.dumps(body).encode()
        return Received(topic, payload, 1, 1, retain=False, dup=False, received_ns=self._now_ns, client=None)


def _measure(stand: Stand) -> None:
    now_ns = time.time_ns()
    with asyncio.Runner() as runner:
        credentials = runner.run(_prepare(stand, now_ns))
        opened = open_pool(stand.database("index"), application_name="probe", max_size=2, by_index=True)
        pool = runner.run(opened.__aenter__())

        async def make() -> _Work:
            """Load the names and build the receiver, on the pool's own event loop."""
            names, skew = await load_names(pool), await load_skew(pool)
            rules = Rules((TopicRule(pattern=f"access/{SITE}/+", decoder="native", site_id=SITE_ID),))
            return _Work(pool, Receiver(rules, names, Quarantine(names), skew, Counters()), credentials, now_ns)

        work = runner.run(make())
        accounts = Accounts(stand.service_pids())

        def cpu_s() -> float:
            return sum(accounts.read().role_cpu_s.values())

        main(lambda: runner.run(work.run_once()), repeat=10, cpu_s=cpu_s)
        runner.run(opened.__aexit__(None, None, None))


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="tallenne-probe-") as scratch,
        open_stand(Path(scratch) / "stand", cameras=20, doors=10) as stand,
    ):
        _measure(stand)
