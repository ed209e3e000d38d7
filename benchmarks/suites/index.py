"""Door events from the broker to committed tags, over 100 cameras whose footage is in the catalogue already.

The indexer has a core for itself; PostgreSQL, the broker and the doors share the other one, so that on a machine of two
cores events_per_s is soon theirs. events_per_core_s is what the indexer's own CPU would allow; what PostgreSQL and the
broker used for each event stands beside it. The embedded broker syncs every message when it comes and again when it is
acknowledged and deleted; mosquitto, where it is installed, does neither, and shows what the rest can.

Throughput: the events wait at the broker in the session; the indexer is started and timed from the first arrival to the
last tag's commit, by PostgreSQL's own commit times. Latency: events at an even pace, from the moment each one occurs
(just before it is published) to the commit of its last tag.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.frame.accounting import Accounts, Usage, between
from benchmarks.frame.cores import Cores, pinned
from benchmarks.frame.process import Child, ChildError, child
from benchmarks.frame.result import document
from benchmarks.frame.role_child import to_json
from benchmarks.frame.shipped import SITE
from benchmarks.frame.stand import Stand, custodian, open_stand, role
from benchmarks.frame.statistics import percentile
from benchmarks.frame.trust import Doubt, doubts
from benchmarks.load import mosquitto
from benchmarks.load.rows import generate_rows
from domain.time import HOUR_NS, MINUTE_NS
from pipeline.embedded.accounts import DOORS_USER, INDEX_USER
from pipeline.embedded.broker import Broker
from runtime import sql
from runtime.database import connect

_PACKAGE = "benchmarks"
_CAMERAS, _DOORS, _MEMBERS = 100, 50, 1000
_FLOOR_ID = "bench-floor"
_TOPIC = f"access/{SITE}/+"
_PATIENCE_S = 300.0
_FLOOR_EVENTS = 20_000
_FSYNCS = 200
_GROWING = (
    "events_per_s",
    "tag_latency_p99_ms",
    "database_cpu_us_per_event",
    "mosquitto_events_per_s",
    "mosquitto_database_cpu_us_per_event",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    events: int = 50_000
    rows: tuple[int, ...] = (1_000_000,)  # of segments that are there already; each in a stand of its own
    rate: int = 1000  # events a second, for the latency
    seconds: float = 15.0  # of it
    seed: int = 1


@dataclass(slots=True)
class _Bench:
    given: Parameters
    cores: Cores
    stand: Stand
    broker: Broker
    shared: dict[str, list[int]]
    credentials: list[str]
    cases: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    # -- Throughput

    def throughput(self) -> dict[str, float]:
        """(ours, the floors) a second. Each session is alone at the broker while its events wait there, so that
        the broker does the same work for both: it deletes a message once it is acknowledged."""
        events = self.given.events
        floor_events = min(events, _FLOOR_EVENTS)
        self._fsync()
        received = self._received("floor receive", "mqtt_receive", floor_events)
        self._received("aiomqtt receive", "aiomqtt_receive", floor_events)
        database = to_json(self.stand.owner)
        inserted = self._floor("floor INSERT", "insert", {"database": database, "events": events})
        with self._indexer(subscribed=True):
            pass
        self._publish(events)
        ours = self._drain()
        # One core does one after the other.
        self._fsync()
        both = 1 / (1 / received + 1 / inserted)
        self.cases.append({"name": "floor receive and INSERT", "events_per_s": both})
        return ours | {"floor_events_per_s": both, "events_ratio": ours["events_per_s"] / both}

    def _fsync(self) -> None:
        """What the disk takes for a small write, made durable: the embedded broker waits for two of them an event."""
        found = []
        with tempfile.TemporaryFile(dir=self.stand.directory) as file:
            for _ in range(_FSYNCS):
                began = time.perf_counter()
                file.write(b"x" * 300)
                file.flush()
                os.fsync(file.fileno())
                found.append((time.perf_counter() - began) * 1e6)
        case = {"fsync_p50_us": percentile(found, 50), "fsync_p99_us": percentile(found, 99)}
        self.cases.append({"name": "floor fsync", "floor": True, **case})

    def _publish(self, events: int) -> None:
        now_ns = time.time_ns()
        with self._doors(events, 0, from_ns=now_ns - HOUR_NS, to_ns=now_ns) as doors:
            published = doors.wait_for("done", _PATIENCE_S)
        self.cases.append({"name": "published beforehand", **published})

    def _received(self, name: str, module: str, events: int) -> float:
        """A second, of what waits at the broker for its session."""
        core, at = self.cores.measured, f"benchmarks.floors.{module}"
        with child("floor", at, [], core=core, parameters=self._floor_session(0)) as floor:
            floor.wait_for("done", 30)
        self._publish(events)
        return self._floor(name, module, self._floor_session(events))

    def _floor(self, name: str, module: str, parameters: dict[str, Any]) -> float:
        """A second. The session of the receiving floor ends with it."""
        with child(name, f"benchmarks.floors.{module}", [], core=self.cores.measured, parameters=parameters) as floor:
            floor.wait_for("ready", 60)
            done = floor.wait_for("done", _PATIENCE_S)
        rate = float(done["events"] / done["s"])
        cpu_us = done["cpu_s"] / done["events"] * 1e6
        lean = name.startswith("floor")
        self.cases.append({"name": name, "floor": lean, "events_per_s": rate, "cpu_us_per_event": cpu_us})
        return rate

    def _drain(self) -> dict[str, float]:
        events, began_ns = self.given.events, time.time_ns()
        with self._indexer(subscribed=False) as running:
            # From here on it subscribes and works: its start, which is the interpreter's, is not on the account.
            roles = self._accounts() | {"measured": [running.pid]}
            first = Accounts(roles).read()
            self._wait(running, events)
            usage = between(first, Accounts(roles).read())
            memory = Accounts(roles).memory_bytes()["measured"]
        outcome = asyncio.run(self._outcome(began_ns))
        if outcome["events"] != events:
            raise ChildError(f"{outcome['events']} of {events} events are in the database.")
        self._doubt("throughput", usage)
        seconds = float(outcome["seconds"])
        case = {"events_per_s": events / seconds, "tags": outcome["tags"], "seconds": seconds}
        per_event = {f"{name}_cpu_us_per_event": used / events * 1e6 for name, used in usage.cpu_s.items()}
        more = {
            "mib": memory / 2**20,
            "cores_of_services": (sum(usage.cpu_s.values()) - usage.cpu_s["measured"]) / seconds,
            "cores_of_others": usage.other_cpu_s / usage.elapsed_s,
        }
        self.cases.append({"name": "ours", **case, **per_event, **more})
        return {
            "events_per_s": case["events_per_s"],
            "events_per_core_s": 1e6 / per_event["measured_cpu_us_per_event"],
            "database_cpu_us_per_event": per_event["database_cpu_us_per_event"],
            "broker_cpu_us_per_event": per_event["broker_cpu_us_per_event"],
        }

    def _wait(self, running: Child, events: int) -> None:
        """Until they are all committed and joined, by the status file: a question would cost the database."""

        def done(said: dict[str, Any]) -> bool:
            return bool(min(said.get("committed", 0), said.get("joined", 0)) >= events)

        self.stand.wait("index", done, child=running, timeout_s=_PATIENCE_S)

    async def _outcome(self, since_ns: int) -> Any:
        conn = await connect(self.stand.owner, statement_timeout_s=0)
        try:
            return await conn.fetchrow(sql.load(_PACKAGE, "index_throughput"), since_ns)
        finally:
            await conn.close()

    # -- Latency

    def latency(self) -> dict[str, float]:
        """At the pace asked for, or at what the machine can."""
        given = self.given
        events = max(1, round(given.rate * given.seconds))
        began_ns = time.time_ns()  # what the throughput's run published occurred before
        with self._indexer(subscribed=True) as running, self._doors(events, given.rate) as doors:
            accounts = Accounts({**self._accounts(), "measured": [running.pid], "load": [doors.pid]})
            first = accounts.read()
            sent = doors.wait_for("done", _PATIENCE_S)
            usage = between(first, accounts.read())
            self._wait(running, events)
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
    def _indexer(self, *, subscribed: bool) -> Iterator[Child]:
        """subscribed: within the block only once it is."""
        stand = self.stand
        settings = stand.shipped.index()
        broker = replace(settings.broker, port=self.broker.port, password=self.broker.passwords[INDEX_USER])
        settings = replace(settings, broker=broker)
        ready = (lambda said: bool(said.get("subscribed"))) if subscribed else None
        with role(stand, "index", settings, core=self.cores.measured, ready=ready) as running:
            yield running

    @contextmanager
    def _doors(self, events: int, rate: int, **times: int) -> Iterator[Child]:
        parameters = {
            "port": self.broker.port,
            "user": DOORS_USER,
            "password": self.broker.passwords[DOORS_USER],
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
        return {
            "port": self.broker.port,
            "user": INDEX_USER,
            "password": self.broker.passwords[INDEX_USER],
            "client_id": _FLOOR_ID,
            "topic": _TOPIC,
            "events": events,
        }


def run(given: Parameters, directory: Path) -> dict[str, Any]:
    """The whole document. With several numbers of rows its headline is that of the first."""
    missing = {"mosquitto": why} if (why := mosquitto.why_missing()) else {}
    headlines, cases, raised = [], [], []
    with pinned() as cores:
        for rows in given.rows:
            bench, headline = _over(rows, given, cores, directory / f"rows-{rows}", mosquitto_too=not missing)
            of = f", {rows:,} rows" if len(given.rows) > 1 else ""
            cases += [{**case, "name": case["name"] + of, "rows": rows} for case in bench.cases]
            raised += [replace(doubt, detail=doubt.detail + of) for doubt in bench.doubts]
            headlines.append(headline)
    headline = headlines[0] | _growth(given.rows, headlines)
    return document("index", parameters=asdict(given), headline=headline, cases=cases, doubts=raised, missing=missing)


def _over(
    rows: int, given: Parameters, cores: Cores, directory: Path, *, mosquitto_too: bool
) -> tuple[_Bench, dict[str, float]]:
    """Everything, in a stand that has this many segment rows."""
    with (
        open_stand(directory, cameras=_CAMERAS, doors=_DOORS, broker=True) as stand,
        custodian(stand, core=cores.load) as keys,
    ):
        assert stand.broker is not None
        credentials = asyncio.run(_prepare(stand, rows))
        shared = {**stand.service_pids(), "custodian": [keys.pid]}
        bench = _Bench(given, cores, stand, stand.broker, shared, credentials)
        headline = bench.throughput() | bench.latency()
        if mosquitto_too:
            with _with_mosquitto(bench, directory) as other:
                headline |= {f"mosquitto_{name}": value for name, value in other.throughput().items()}
            bench.cases += [{**case, "name": f"mosquitto: {case['name']}"} for case in other.cases]
            bench.doubts += other.doubts
    return bench, headline


def _growth(rows: tuple[int, ...], headlines: list[dict[str, float]]) -> dict[str, float]:
    """The most rows' figures over the fewest': what the catalogue's size costs. Nothing with one number of rows."""
    if len(rows) < 2:
        return {}
    few, many = headlines[rows.index(min(rows))], headlines[rows.index(max(rows))]
    return {f"rows_{name}_ratio": many[name] / few[name] for name in _GROWING if name in few}


@contextmanager
def _with_mosquitto(bench: _Bench, directory: Path) -> Iterator[_Bench]:
    """The same stand with a broker that acknowledges from memory, so that it is not what limits us."""
    broker = mosquitto.start_mosquitto(directory / "mosquitto")
    try:
        shared = {**bench.shared, "broker": [broker.process.pid]}
        yield _Bench(bench.given, bench.cores, bench.stand, broker, shared, bench.credentials)
    finally:
        broker.stop()


async def _prepare(stand: Stand, rows: int) -> list[str]:
    """Footage until a few minutes from now, and members. Returns their credentials.

    The cleaning up after so many rows is done here, so that it does not run during a measurement.
    """
    conn = await connect(stand.postgres.settings(database=stand.owner.database), statement_timeout_s=0)
    try:
        await generate_rows(conn, stand.cameras, rows, time.time_ns() + 15 * MINUTE_NS)
        await conn.execute("VACUUM segment")
        await conn.execute("VACUUM segment_identity")
        await conn.execute("CHECKPOINT")
        made = await conn.fetch(sql.load(_PACKAGE, "members_generate"), _MEMBERS)
    finally:
        await conn.close()
    return [row["credential"] for row in made]
