"""Doors, indexer, broker and database at work, and each of them killed in turn, at times that a seed decides."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psutil

from domain.errors import StorageError
from domain.time import NS
from indexer.settings import IndexSettings
from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.process import ServiceProcess, die_with_parent
from pipeline.embedded.provision import provision
from runtime.database import connect, wrapped_errors
from runtime.settings import DatabaseSettings
from runtime.status import read_status_files
from storage.catalogue.migrate import migrate
from tests.support.doors.door_log import Gym, add_gym, commit_segment, ensure_days, segment
from tests.support.doors.mosquitto import Mosquitto
from tests.support.doors.publisher import Publisher, read_account
from tests.support.processes.brokers import AnyBroker, Nats

SEGMENT_NS: Final = 2 * NS
DOORS: Final = ("door0", "door1", "door2", "door3")
CHECK = """
    SELECT e.occurred_ns, d.external_id,
           count(t.event_id) FILTER (WHERE t.superseded_ns IS NULL) AS tags,
           count(s.segment_id) FILTER (WHERE t.superseded_ns IS NULL) AS right_tags
    FROM access_event e JOIN door d USING (door_id) JOIN door_camera m USING (door_id)
    LEFT JOIN tag t USING (event_id)
    LEFT JOIN segment s ON s.segment_id = t.segment_id AND s.camera_id = m.camera_id AND t.camera_id = m.camera_id
        AND s.start_ns <= e.occurred_ns AND e.occurred_ns < s.end_ns
    GROUP BY e.event_id, d.external_id
"""


@dataclass(slots=True)
class Indexer:
    """A process of its own; killed as kill -9 does. ``environment``: failpoints, a planted fault."""

    settings: IndexSettings
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.processes.index_process"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
                preexec_fn=die_with_parent,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(pickle.dumps(self.settings))
        self.process.stdin.close()

    def dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass(kw_only=True)
class Verdict:
    """The rows, held against the account."""

    acknowledged: int
    rows: int
    lost: set[tuple[int, int]]  # (door, sequence number) acknowledged, and no event or no tag
    doubled: int  # events or tags more than one
    wrong: int  # a tag on other footage
    strange: int  # rows of events that nobody published
    kills: Counter[str]
    seconds: float
    missing: set[tuple[int, int]]  # (door, sequence number) that the indexer says never came
    first: dict[int, int]  # door -> the lowest number that came; lower ones cannot be known to be missing
    status: dict[str, Any]

    @property
    def exactly_once(self) -> bool:
        return not (self.lost or self.doubled or self.wrong or self.strange) and self.rows == self.acknowledged

    @property
    def missed_exactly(self) -> bool:
        """Whether the numbers that the indexer says never came are those that were lost."""
        return self.missing == {(door, seq) for door, seq in self.lost if seq > self.first.get(door, seq)}

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return (
            f"{self.acknowledged} acknowledged, {self.rows} rows, {len(self.lost)} lost, {self.doubled} doubled,"
            f" {self.wrong} wrong, {self.strange} strange, {len(self.missing)} told missing;"
            f" killed: {kills}; {self.seconds:.0f} s"
        )


@dataclass(kw_only=True)
class Stage:
    """Everything in ``directory``, with a durable database of its own."""

    directory: Path
    broker: AnyBroker
    seed: int
    events: int
    rate: float
    every_s: tuple[float, float] = (0.5, 1.5)  # between faults
    away_s: tuple[float, float] = (0.0, 1.0)  # how long a part stays away
    broker_stops: bool = False  # in good order, since this one acknowledges from memory
    settle_s: float = 13.0  # without a new row: the embedded broker sends again after ten
    alone: bool = False  # the indexer is away whenever the broker is, so that events wait in the broker when it dies
    index_environment: dict[str, str] = field(default_factory=dict)
    log: Path | None = None

    async def run(self) -> Verdict:
        began = time.monotonic()
        self._began = began
        self._kills: Counter[str] = Counter()
        self._random = random.Random(self.seed)
        self._directory_run = self.directory / "run"
        self._directory_run.mkdir()
        self.broker.start()
        self._postgres = self._start_postgres()
        try:
            self._gym = await self._prepare()
            self._indexer = Indexer(self._settings(), self.directory / "index.log", self.index_environment)
            self._indexer.start()
            await self._subscribed()
            self._say(f"seed {self.seed}: {self.events} events, {self.rate} a second, {type(self.broker).__name__}")
            account = self.directory / "account.txt"
            publisher = self._publisher(account)
            recorder = asyncio.create_task(self._record(publisher))
            try:
                publisher.start()
                await self._faults(publisher)
                await self._last_words(publisher)
                await self._settled(publisher)
            finally:
                publisher.halt()
                recorder.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await recorder
            verdict = await self._verdict(account, time.monotonic() - began)
            self._say(str(verdict))
            return verdict
        finally:
            with contextlib.suppress(AttributeError):
                self._indexer.kill()
            self.broker.stop()
            self._postgres.stop()

    # The parts

    def _start_postgres(self) -> Postgres:
        return start_postgres(self.directory / "pg", log=self.directory / "pg.log")

    def _database(self, role: str) -> DatabaseSettings:
        settings = self._postgres.settings(database="tallenne")
        return settings if role == "owner" else replace(settings, user=f"tallenne_{role}", password=f"test-{role}")

    async def _prepare(self) -> Gym:
        words = {role: f"test-{role.removeprefix('tallenne_')}" for role in ROLES}
        await provision(self._postgres.settings(), words, "tallenne")
        await migrate(self._database("owner"))
        owner = await connect(self._database("owner"))
        try:
            gym = await add_gym(owner, doors=DOORS, cameras=len(DOORS), cameras_a_door=1)
            # The span of interest is the moment itself: every event has exactly one tag.
            await owner.execute("UPDATE door_camera SET before_ns = 0, after_ns = 1")
        finally:
            await owner.close()
        return gym

    def _settings(self) -> IndexSettings:
        return IndexSettings(
            database=self._database("index"),
            broker=self.broker.settings("index"),
            topics=self._gym.rules,
            doors=(),
            custodian_socket=self._directory_run / "custodian.sock",
            run_directory=self._directory_run,
        )

    def _publisher(self, account: Path) -> Publisher:
        return Publisher(
            self.broker.settings("").port,
            self.broker.passwords["tallenne_doors"],
            client_id="doors",
            topics=[self._gym.topic(door) for door in DOORS],
            events=self.events,
            rate=self.rate,
            account=account,
            held=len(DOORS),
        )

    def status(self) -> dict[str, Any]:
        """The indexer's last word."""
        return next((one for one in read_status_files(self._directory_run) if one["role"] == "index"), {})

    async def _subscribed(self) -> None:
        assert self._indexer.process is not None
        async with asyncio.timeout(30):
            said: dict[str, Any] = {}
            while said.get("pid") != self._indexer.process.pid or not said.get("subscribed"):
                await asyncio.sleep(0.05)
                said = self.status()

    async def _record(self, publisher: Publisher) -> None:
        """Footage without gaps, two seconds a segment, committed when they are over, as a recorder does."""
        start_ns = time.time_ns() - 2 * SEGMENT_NS
        waiting = [segment(self._gym, camera, start_ns, start_ns + SEGMENT_NS) for camera in self._gym.cameras]
        while True:
            if waiting[0].span.end_ns > time.time_ns():
                await asyncio.sleep(0.1)
                continue
            # The database is killed now and then: again, until it is known to be there.
            with contextlib.suppress(StorageError), wrapped_errors():
                conn = await connect(self._database("ingest"))
                try:
                    await ensure_days(conn, waiting[0].span.start_ns)
                    for one in waiting:
                        await commit_segment(conn, one)
                finally:
                    await conn.close()
                end_ns = waiting[0].span.end_ns
                waiting = [segment(self._gym, camera, end_ns, end_ns + SEGMENT_NS) for camera in self._gym.cameras]
                continue
            await asyncio.sleep(0.1)

    # Faults

    async def _faults(self, publisher: Publisher) -> None:
        turns: list[str] = []
        while not publisher.holding:
            until = time.monotonic() + self._random.uniform(*self.every_s)
            while time.monotonic() < until and not publisher.holding:
                self._revive()
                await asyncio.sleep(0.05)
            if not turns:
                turns = ["index", "broker", "database"]
                self._random.shuffle(turns)
            await self._fault(turns.pop(), publisher)

    async def _fault(self, part: str, publisher: Publisher) -> None:
        away_s = self._random.uniform(*self.away_s)
        self._kills[part] += 1
        self._say(f"{part} away for {away_s:.2f} s; {publisher.acknowledged} acknowledged of {publisher.sent}")
        if part == "index":
            self._indexer.kill()
        elif part == "broker":
            if self.alone:
                self._indexer.kill()
                await asyncio.sleep(0.5)
            (self.broker.stop if self.broker_stops else self.broker.kill)()
        else:
            kill_all(self._postgres.process)
        until = time.monotonic() + away_s
        while time.monotonic() < until:
            self._revive(spare=part == "index" or self.alone)
            await asyncio.sleep(0.02)
        if part == "index":
            self._indexer.start()
        elif part == "broker":
            self.broker.start()
            if self.alone:
                self._indexer.start()
        else:
            self._postgres = self._start_postgres()

    def _revive(self, *, spare: bool = False) -> None:
        """One that died by itself, at a failpoint, is started again."""
        if not spare and self._indexer.dead():
            assert self._indexer.process is not None and self._indexer.process.returncode == -signal.SIGKILL
            self._kills["index at a failpoint"] += 1
            self._indexer.start()

    async def _last_words(self, publisher: Publisher) -> None:
        """One more event from every door, in peace: only by a later number is an earlier one missed.

        The indexer listens by then: a broker that forgot its session keeps nothing for it.
        """
        self._indexer.kill()
        self._indexer.environment = {}
        self._indexer.start()
        await self._subscribed()
        publisher.release()

    async def _settled(self, publisher: Publisher) -> None:
        """Nothing more comes: no row for a while, nothing in the outbox, and footage until behind the last event."""
        async with asyncio.timeout(60):
            while not publisher.finished:
                self._revive()
                await asyncio.sleep(0.05)
        last, since = (-1, -1), time.monotonic()
        while time.monotonic() - since < self.settle_s:
            self._revive()
            with contextlib.suppress(StorageError), wrapped_errors():
                conn = await connect(self._database("owner"))
                try:
                    events = await conn.fetchval("SELECT count(*) FROM access_event")
                    tags = await conn.fetchval("SELECT count(*) FROM tag")
                finally:
                    await conn.close()
                if (events, tags) != last:
                    last, since = (events, tags), time.monotonic()
                if events == tags == self.events:
                    await asyncio.sleep(1.0)  # time enough to do something wrong
                    return
            await asyncio.sleep(0.2)

    async def _verdict(self, account: Path, elapsed_s: float) -> Verdict:
        published = read_account(account)
        conn = await connect(self._database("owner"), statement_timeout_s=0)
        try:
            rows = await conn.fetch(CHECK)
            counted = await conn.fetch("SELECT * FROM door_sequence JOIN door USING (door_id)")
        finally:
            await conn.close()
        by_time = Counter(row["occurred_ns"] for row in rows)
        tagged = {row["occurred_ns"]: row for row in rows if row["tags"] >= 1}
        return Verdict(
            acknowledged=len(published),
            rows=len(rows),
            lost={who for occurred_ns, who in published.items() if occurred_ns not in tagged},
            doubled=sum(row["tags"] > 1 for row in rows) + sum(count > 1 for count in by_time.values()),
            wrong=sum(row["right_tags"] != row["tags"] for row in rows),
            strange=sum(row["occurred_ns"] not in published for row in rows),
            missing={
                (DOORS.index(row["external_id"]), seq)
                for row in counted
                for first, past, _ in json.loads(row["missing"])
                for seq in range(first, past)
            },
            first={DOORS.index(row["external_id"]): row["first_seq"] for row in counted},
            kills=self._kills,
            seconds=elapsed_s,
            status=self.status(),
        )

    def _say(self, what: str) -> None:
        line = f"{time.monotonic() - self._began:8.2f} s  {what}"
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(line + "\n")


def kill_all(process: ServiceProcess) -> None:
    """A power cut for the database: the server and all its backends at once."""
    with contextlib.suppress(psutil.NoSuchProcess):
        backends = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for backend in backends:
            with contextlib.suppress(psutil.NoSuchProcess):
                backend.kill()


__all__ = ["Indexer", "Mosquitto", "Nats", "Stage", "Verdict"]
