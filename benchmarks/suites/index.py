"""Door events from the broker to committed tags, over 100 cameras whose footage is in the catalogue already.

The indexer has a core for itself; PostgreSQL, the broker and the doors share the other one, so that on a machine of two
cores events_per_s is soon theirs. events_per_core_s is what the indexer's own CPU would allow.

Throughput: the events wait at the broker, in the sessions of the indexer and of the floor alike; the indexer is
started and timed from the first arrival to the last tag's commit, by PostgreSQL's own commit times. Latency: events
at an even pace, from the moment each one occurs (just before it is published) to the commit of its last tag.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.frame.accounting import Accounts, Usage, between
from benchmarks.frame.cores import Cores, pinned
from benchmarks.frame.process import Child, ChildError, child
from benchmarks.frame.result import document
from benchmarks.frame.role_child import settings_to_json
from benchmarks.frame.stand import SITE, SITE_ID, Stand, custodian, open_stand, role
from benchmarks.frame.statistics import percentile
from benchmarks.frame.trust import Doubt, doubts
from benchmarks.load.rows import generate_rows
from domain.time import HOUR_NS, MINUTE_NS
from indexer.settings import BrokerSettings, DoorSettings, IndexSettings, TopicRule
from pipeline.embedded.broker import DOORS_USER, INDEX_USER
from storage import sql
from storage.database import connect

_PACKAGE = "benchmarks"
_CAMERAS, _DOORS, _MEMBERS = 100, 50, 1000
_CLIENT_ID, _FLOOR_ID = "bench-index", "bench-floor"
_TOPIC = f"access/{SITE}/+"
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    events: int = 50_000
    rows: int = 1_000_000  # of segments
    rate: int = 1000  # events a second, for the latency
    seconds: float = 15.0  # of it
    seed: int = 1


@dataclass(slots=True)
class _Bench:
    given: Parameters
    cores: Cores
    stand: Stand
    shared: dict[str, list[int]]
    credentials: list[str]
    cases: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    # -- Throughput

    def throughput(self) -> dict[str, float]:
        """(ours, the floors) a second."""
        self._subscribe()
        now_ns = time.time_ns()
        with self._doors(self.given.events, 0, from_ns=now_ns - HOUR_NS, to_ns=now_ns) as doors:
            published = doors.wait_for("done", _PATIENCE_S)
        self.cases.append({"name": "published beforehand", **published})
        received = self._floor("floor aiomqtt receive", "mqtt_receive", self._floor_session(self.given.events))
        database = settings_to_json(self.stand.owner)
        inserted = self._floor("floor INSERT", "insert", {"database": database, "events": self.given.events})
        ours = self._drain()
        # One core does one after the other.
        floor = 1 / (1 / received + 1 / inserted)
        self.cases.append({"name": "floor receive and INSERT", "events_per_s": floor})
        return ours | {"floor_events_per_s": floor, "events_ratio": ours["events_per_s"] / floor}

    def _subscribe(self) -> None:
        """Both sessions exist at the broker from here on, and what is published waits in them."""
        with self._indexer():
            pass
        module = "benchmarks.floors.mqtt_receive"
        with child("floor", module, [], core=self.cores.measured, parameters=self._floor_session(0)) as floor:
            floor.wait_for("done", 30)

    def _floor(self, name: str, module: str, parameters: dict[str, Any]) -> float:
        with child(name, f"benchmarks.floors.{module}", [], core=self.cores.measured, parameters=parameters) as floor:
            floor.wait_for("ready", 60)
            done = floor.wait_for("done", _PATIENCE_S)
        rate = float(done["events"] / done["s"])
        cpu_us = done["cpu_s"] / done["events"] * 1e6
        self.cases.append({"name": name, "floor": True, "events_per_s": rate, "cpu_us_per_event": cpu_us})
        return rate

    def _drain(self) -> dict[str, float]:
        accounts = self._accounts()
        with self._indexer() as running:
            roles = accounts | {"measured": [running.pid]}
            first = Accounts(roles).read()
            told = asyncio.run(self._until_tagged(self.given.events))
            usage = between(first, Accounts(roles).read())
            memory = Accounts(roles).memory_bytes()["measured"]
        self._doubt("throughput", usage)
        seconds = float(told["seconds"])
        case = {"events_per_s": told["events"] / seconds, "tags": told["tags"], "seconds": seconds}
        # The CPU of the whole, the indexer's start and the waiting for its first message included.
        per_event = {f"{name}_cpu_us_per_event": used / told["events"] * 1e6 for name, used in usage.cpu_s.items()}
        busy = (sum(usage.cpu_s.values()) - usage.cpu_s["measured"]) / usage.elapsed_s
        more = {
            "mib": memory / 2**20,
            "cores_of_services": busy,
            "cores_of_others": usage.other_cpu_s / usage.elapsed_s,
        }
        self.cases.append({"name": "ours", **case, **per_event, **more})
        return {"events_per_s": case["events_per_s"], "events_per_core_s": 1e6 / per_event["measured_cpu_us_per_event"]}

    async def _until_tagged(self, events: int) -> Any:
        """All are rows and nothing waits. Asks seldom: the question costs the database."""
        conn = await connect(self.stand.owner, statement_timeout_s=0)
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while time.monotonic() < deadline:
                row = await conn.fetchrow(sql.load(_PACKAGE, "index_throughput"))
                if row["events"] >= events and row["waiting"] == 0:
                    return row
                await asyncio.sleep(0.5)
        finally:
            await conn.close()
        raise ChildError(f"{events} events were not tagged within {_PATIENCE_S:.0f} s.")

    # -- Latency

    def latency(self) -> dict[str, float]:
        """At the pace asked for, or at what the machine can."""
        given = self.given
        events = max(1, round(given.rate * given.seconds))
        began_ns = time.time_ns()  # what the throughput's run published occurred before
        with self._indexer() as running, self._doors(events, given.rate) as doors:
            accounts = Accounts({**self._accounts(), "measured": [running.pid], "load": [doors.pid]})
            first = accounts.read()
            sent = doors.wait_for("done", _PATIENCE_S)
            usage = between(first, accounts.read())
            asyncio.run(self._until_tagged(given.events + events))
        self._doubt("latency", usage, generator="load")
        tagged, received = asyncio.run(self._latencies(began_ns))
        if sent["per_s"] < 0.97 * given.rate:
            detail = f"latency: {sent['per_s']:.0f} events a second instead of {given.rate}: the broker took no more"
            self.doubts.append(Doubt(code="generator_saturated", detail=detail))
        if sent["late_max_ms"] > 200:
            late = f"latency: events left up to {sent['late_max_ms']:.0f} ms late"
            self.doubts.append(Doubt(code="generator_late", detail=late))
        case = {
            "name": f"tag latency at {given.rate} events a second",
            "events": len(tagged),
            "sent_per_s": sent["per_s"],
            "late_max_ms": sent["late_max_ms"],
            "latency_p50_ms": percentile(tagged, 50),
            "latency_p99_ms": percentile(tagged, 99),
            "latency_max_ms": max(tagged),
            "received_p99_ms": percentile(received, 99),
            "cores_by_role": {name: used / usage.elapsed_s for name, used in usage.cpu_s.items()},
        }
        self.cases.append(case)
        return {"tag_latency_p99_ms": case["latency_p99_ms"], "tag_latency_rate": sent["per_s"]}

    async def _latencies(self, since_ns: int) -> tuple[list[float], list[float]]:
        conn = await connect(self.stand.owner, statement_timeout_s=0)
        try:
            rows = await conn.fetch(sql.load(_PACKAGE, "index_latency"), since_ns)
        finally:
            await conn.close()
        return [float(row["tagged_ms"]) for row in rows], [float(row["received_ms"]) for row in rows]

    # -- The parts

    def _accounts(self) -> dict[str, list[int]]:
        return dict(self.shared)

    def _doubt(self, what: str, usage: Usage, generator: str | None = None) -> None:
        found = doubts(usage, cores=self.cores.usable, generator=generator, shortest_s=1.0)
        self.doubts += [Doubt(code=doubt.code, detail=f"{what}: {doubt.detail}") for doubt in found]

    @contextmanager
    def _indexer(self) -> Iterator[Child]:
        stand = self.stand
        assert stand.broker is not None
        settings = IndexSettings(
            database=stand.database("index"),
            broker=BrokerSettings(
                host="127.0.0.1",
                port=stand.broker.port,
                user_name=INDEX_USER,
                password=stand.broker.passwords[INDEX_USER],
                client_id=_CLIENT_ID,
            ),
            topics=(TopicRule(pattern=_TOPIC, decoder="native", site_id=SITE_ID),),
            doors=tuple(
                DoorSettings(door_id=door, site_id=SITE_ID, name=name, external_id=name)
                for name, door in stand.doors.items()
            ),
            custodian_socket=stand.custodian_socket,
            run_directory=stand.run_directory,
        )
        ready = self.cores.measured
        with role(stand, "index", settings, core=ready, ready=lambda said: bool(said.get("subscribed"))) as running:
            yield running

    @contextmanager
    def _doors(self, events: int, rate: int, **times: int) -> Iterator[Child]:
        assert self.stand.broker is not None
        parameters = {
            "port": self.stand.broker.port,
            "user": DOORS_USER,
            "password": self.stand.broker.passwords[DOORS_USER],
            "topics": [f"access/{SITE}/{door}" for door in self.stand.doors],
            "credentials": self.credentials,
            "events": events,
            "rate": rate,
            "seed": self.given.seed,
            **times,
        }
        with child("doors", "benchmarks.load.doors", [], core=self.cores.load, parameters=parameters) as running:
            running.wait_for("ready", 30)
            yield running

    def _floor_session(self, events: int) -> dict[str, Any]:
        assert self.stand.broker is not None
        return {
            "port": self.stand.broker.port,
            "user": INDEX_USER,
            "password": self.stand.broker.passwords[INDEX_USER],
            "client_id": _FLOOR_ID,
            "topic": _TOPIC,
            "events": events,
        }


def run(given: Parameters, directory: Path) -> dict[str, Any]:
    """The whole document."""
    with (
        pinned() as cores,
        open_stand(directory / "stand", cameras=_CAMERAS, doors=_DOORS, broker=True) as stand,
        custodian(stand, core=cores.load) as keys,
    ):
        credentials = asyncio.run(_prepare(stand, given.rows))
        shared = {**stand.service_pids(), "custodian": [keys.pid]}
        bench = _Bench(given, cores, stand, shared, credentials)
        headline: dict[str, Any] = bench.throughput() | bench.latency()
    cases, raised = bench.cases, bench.doubts
    return document("index", parameters=asdict(given), headline=headline, cases=cases, doubts=raised, missing={})


async def _prepare(stand: Stand, rows: int) -> list[str]:
    """Footage until a few minutes from now, and members. Returns their credentials."""
    conn = await connect(stand.owner, statement_timeout_s=0)
    try:
        await generate_rows(conn, stand.cameras, rows, time.time_ns() + 15 * MINUTE_NS)
        made = await conn.fetch(sql.load(_PACKAGE, "members_generate"), _MEMBERS)
    finally:
        await conn.close()
    return [row["credential"] for row in made]
