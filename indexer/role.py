"""The indexer as a process: receives, commits, acknowledges, tags. Whatever is away, it stays and catches up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import Any, Final

import asyncpg

from custodian.client import CustodianClient
from domain.access import SKEW_LIMIT_NS
from domain.errors import StorageError
from domain.time import NS
from indexer.counters import Counters
from indexer.errors import IndexerError, IndexMisuseError
from indexer.events.intake import IntakeKey
from indexer.events.pauses import door_pauses
from indexer.events.quarantine import Quarantine, expire
from indexer.events.receive import Receiver, load_names, load_sequence, load_skew
from indexer.events.rules import Rules
from indexer.events.sequence import SequenceTracker
from indexer.events.skew import clocks_off
from indexer.mqtt.driver import Received
from indexer.mqtt.inbox import Inbox
from indexer.mqtt.losses import broker_dropped, sequence_gaps, session_taken_over
from indexer.mqtt.session import BACKOFF_MAX_S, BACKOFF_MIN_S, Session
from indexer.settings import IndexSettings
from indexer.tagger import Tagger
from runtime import failpoints, sql
from runtime.backoff import Backoff
from runtime.database import open_pool, wrapped_errors
from runtime.pause import pause
from runtime.problems import Problems
from runtime.status import KNOWN_PERIODS, StatusFile
from runtime.supervise import supervised

_PACKAGE: Final = "indexer"

BATCH_MAX: Final = 1000
IDLE_S: Final = 0.2
LINGER_S: Final = 0.005
"""A transaction costs much more than a row: a small batch waits a little for what comes next, and goes on waiting while
something does come. What comes alone waits once."""
LINGERS_MAX: Final = 6
LINGER_BELOW: Final = 250
LAG_EVERY_S: Final = 1.0
CLEANING_EVERY_S: Final = 60.0
PAUSES_EVERY_S: Final = 300.0
GRACE_S: Final = 3.0
STOP_S: Final = 15.0
CUSTODIAN_DEADLINE_S: Final = 3.0
EXPECTED: Final = (StorageError, IndexerError)


async def run(settings: IndexSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. IndexMisuseError when the configuration names an unknown decoder.

    Ready once subscribed. While the broker, the database or the custodian is away it stays up, degraded.
    """
    rules = Rules(settings.topics)
    async with open_pool(settings.database, application_name="index", min_size=0, max_size=4, by_index=True) as pool:
        await _Role(settings, rules, pool).work(stop)


class _Role:
    """The role's parts and their last state."""

    def __init__(self, settings: IndexSettings, rules: Rules, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._rules = rules
        self._counters = Counters()
        self._problems = Problems()
        self._file = StatusFile(settings.run_directory, "index", settings.instance)
        self._inbox = Inbox()
        self._session = Session(
            settings.broker, rules.patterns, self._inbox, trouble=lambda error: self._problems.set("broker", error)
        )
        well = partial(self._problems.clear, "tagger")
        self._tagger = Tagger(pool, self._counters, clock_ns=time.time_ns, well=well)
        client = CustodianClient(settings.custodian_socket, deadline_s=CUSTODIAN_DEADLINE_S)
        self._intake = IntakeKey(client)
        self._quarantine: Quarantine | None = None
        self._sequence = SequenceTracker()
        self._held: list[Received] = []  # must be quarantined, but the custodian's intake key is not known yet
        self._lag: dict[str, Any] = {"outbox_rows": 0, "outbox_oldest_s": 0.0, "skewed_doors": 0}
        self._lag_s = time.monotonic()  # when that was so
        self._doors: dict[str, Any] = {}  # when each last reported, and its usual pauses
        self._watch()

    def _watch(self) -> None:
        """What is wrong by the present figures, asked at every status."""
        watch, session = self._problems.watch, self._session
        watch("quarantine", self._quarantine_full)
        watch("sequence", lambda: sequence_gaps(*self._sequence.overdue(time.time_ns())))
        watch("dropped", lambda: broker_dropped(session.dropped))
        client_id = self._settings.broker.client_id
        watch("taken over", lambda: session_taken_over(session.taken_over, client_id))
        watch("forgotten", lambda: session.forgotten.problem(time.monotonic(), client_id))

    async def work(self, stop: asyncio.Event) -> None:
        """Run the role's tasks until ``stop``; then drain: receive, acknowledge, tag."""
        committed = asyncio.Event()  # the session ends after the last acknowledgement
        async with supervised(self._problems, grace_s=STOP_S) as tasks:
            tasks.every(self._status_period_s, "status", self._write_status)
            tasks.once("mqtt session", lambda: self._session.run(committed), expected=(), drain=True)
            tasks.once("receive", lambda: self._receive(stop, committed), expected=(), drain=True)
            tasks.forever("tagger", lambda: self._tagger.run_once(stop), expected=EXPECTED, drain=True)
            tasks.once("custodian", self._intake.fetch, expected=EXPECTED)
            tasks.every(LAG_EVERY_S, "lag", self._measure_lag, expected=EXPECTED)
            tasks.every(CLEANING_EVERY_S, "housekeeping", self._clean, expected=EXPECTED)
            tasks.every(PAUSES_EVERY_S, "doors' pauses", self._measure_pauses, expected=EXPECTED)
            await stop.wait()
        self._say("stopping")
        self._file.remove()

    # Receiving

    async def _receive(self, stop: asyncio.Event, committed: asyncio.Event) -> None:
        try:
            receiver: Receiver | None = None
            while receiver is None and not stop.is_set():
                try:
                    receiver = await self._make_receiver()
                except StorageError as error:
                    self._problems.note("database", error)
                    await pause(stop, 1.0)
                else:
                    self._problems.clear("database")
            while receiver is not None and not stop.is_set():
                if messages := self._held_again() or await self._next():
                    await self._commit(receiver, messages, stop)
            if receiver is not None:
                await self._commit_rest(receiver)
        finally:
            committed.set()

    async def _next(self) -> list[Received]:
        try:
            messages = await asyncio.wait_for(self._inbox.take(BATCH_MAX), IDLE_S)
        except TimeoutError:
            return []
        for _ in range(LINGERS_MAX):
            if len(messages) >= LINGER_BELOW:
                break
            await asyncio.sleep(LINGER_S)
            more = self._inbox.take_now(BATCH_MAX - len(messages))
            if not more:
                break
            messages += more
        return messages

    async def _make_receiver(self) -> Receiver:
        names = await load_names(self._pool)
        skew = await load_skew(self._pool)
        instance = self._settings.instance
        self._sequence = await load_sequence(self._pool, instance)
        self._quarantine = Quarantine(names)
        await self._quarantine.count(self._pool)
        parts = (self._rules, names, self._quarantine, skew, self._counters)
        return Receiver(*parts, sequence=self._sequence, instance=instance)

    async def _commit(self, receiver: Receiver, messages: list[Received], stop: asyncio.Event) -> None:
        """Commit, then acknowledge. While the database is away: again and again, the messages unacknowledged."""
        self._counters.received += len(messages)
        batch = receiver.decode(messages)
        backoff = Backoff(first_s=BACKOFF_MIN_S, longest_s=BACKOFF_MAX_S)
        while True:
            try:
                failpoints.hit("receive.decoded")
                held = await receiver.commit(self._pool, batch, self._intake.key)
                break
            except StorageError as error:
                self._problems.note("database", error)
                if stop.is_set():
                    return
                await pause(stop, backoff.pause_s())
        self._problems.clear("database")
        failpoints.hit("receive.committed")
        kept = {id(message) for message in held}
        done = [message for message in messages if id(message) not in kept]
        self._session.acknowledge(done)
        self._inbox.done(done)
        # A second look at them says nothing of the controller's clock.
        self._held.extend(message._replace(dup=True) for message in held)
        self._tagger.wake()

    def _held_again(self) -> list[Received]:
        """Held messages, once they can be sealed; without those that the broker sends again by itself."""
        gone = [message for message in self._held if message.qos > 0 and not message.client.alive]
        if gone:
            self._inbox.done(gone)
            self._held = [message for message in self._held if message.qos == 0 or message.client.alive]
        if self._intake.key is None or not self._held:
            return []
        messages, self._held = self._held[:BATCH_MAX], self._held[BATCH_MAX:]
        return messages

    async def _commit_rest(self, receiver: Receiver) -> None:
        """Messages at QoS 0 would be lost otherwise; the others spare the broker a redelivery."""
        ending = asyncio.Event()
        ending.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while messages := self._inbox.take_now(BATCH_MAX):
                    await self._commit(receiver, messages, ending)

    # Housekeeping

    async def _measure_lag(self) -> None:
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "lag"), SKEW_LIMIT_NS)
            worst = await self._pool.fetch(sql.load(_PACKAGE, "skewed"), SKEW_LIMIT_NS) if row["skewed"] else []
        self._problems.set("clocks", clocks_off(row["skewed"], [(door["name"], door["skew_ns"]) for door in worst]))
        oldest = row["oldest_ns"]
        age_s = 0.0 if oldest is None else max(0.0, (time.time_ns() - oldest) / NS)
        self._lag = {"outbox_rows": row["waiting"], "outbox_oldest_s": round(age_s, 3), "skewed_doors": row["skewed"]}
        self._lag_s = time.monotonic()

    async def _measure_pauses(self) -> None:
        self._doors = await door_pauses(self._pool)

    async def _clean(self) -> None:
        await expire(self._pool, self._settings.quarantine_retention_s, time.time_ns())
        if self._quarantine is not None:
            await self._quarantine.count(self._pool)
        doors = [door.door_id for door in self._settings.doors]
        with wrapped_errors():
            missing = await self._pool.fetchval(sql.load(_PACKAGE, "doors_missing"), doors)
        self._problems.set("doors", None if not missing else _doors_missing(missing))

    def _quarantine_full(self) -> IndexMisuseError | None:
        lost = self._counters.quarantine_overflow
        if not lost or self._quarantine is None or not self._quarantine.full:
            return None
        return IndexMisuseError(
            f"The quarantine is full; {lost} messages that were not understood could not be kept.",
            "Look at `tallenne quarantine list`: a door is misconfigured, or a topic is flooded.",
        )

    def _status_period_s(self) -> float:
        return self._file.period_s if self._session.subscribed else self._file.period_s / 5

    async def _write_status(self) -> None:
        self._say("ready" if self._session.subscribed else "starting")

    def _say(self, state: str) -> None:
        problems = self._problems.present()
        lag_known = time.monotonic() - self._lag_s < KNOWN_PERIODS * LAG_EVERY_S
        self._file.write(
            "degraded" if problems and state != "stopping" else state,
            problems=problems,
            **self._counters.as_json(),
            **(self._lag if lag_known else dict.fromkeys(self._lag)),
            quarantine_waiting=None if self._quarantine is None else self._quarantine.waiting,
            subscribed=self._session.subscribed,
            connections=self._session.connections,
            sessions_lost=self._session.forgotten.total,
            sessions_taken_over=self._session.taken_over,
            broker_dropped=self._session.dropped,
            sequence_missing=self._sequence.overdue(time.time_ns())[0],
            inbox=len(self._inbox),
            inbox_pauses=self._inbox.pauses,
            held=len(self._held),
            doors=self._doors,
        )


def _doors_missing(count: int) -> IndexMisuseError:
    return IndexMisuseError(
        f"{count} configured doors are not in the database: their messages go to quarantine.",
        "Restart `tallenne up`, which copies the configuration into the database; then replay the quarantine.",
    )
