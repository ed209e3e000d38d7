"""The custodian as a process: its secrets, its socket, hour keys made and expired, the audit chain signed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from custodian.audit.heads import HeadBucket, HeadFile, HeadPlace
from custodian.audit.record import Record
from custodian.audit.signer import HeadSigner
from custodian.erasure.orders import Orders
from custodian.errors import BrokenAuditError, ForgedRowsError
from custodian.expiry.retention import Retention
from custodian.harden import forbid_dumps
from custodian.holds.holds import Holds
from custodian.journal import JournalKeeper
from custodian.keys.custody import open_custody
from custodian.keys.hour_keys import HourKeyMaker
from custodian.keys.past_keys import PastKeys
from custodian.live_looks import LiveLooks
from custodian.opening import Opener
from custodian.operations import Operations, allowed
from custodian.server import Server
from domain.errors import StorageError
from runtime.database import READY_CONNECTIONS, open_pool
from runtime.problems import Problems
from runtime.settings import CustodianListen, CustodianSettings
from runtime.status import StatusFile
from runtime.supervise import EXPECTED, Work, supervised
from storage.claims import Judge
from storage.journal import JournalWriter
from storage.keys import KeyFileError, Keyring
from storage.store import ObjectStore, open_store

_log = logging.getLogger(__name__)

KEYS_EVERY_S: Final = 2.0
RETENTION_EVERY_S: Final = 5.0
HOLDS_EVERY_S: Final = 5.0
HEADS_EVERY_S: Final = 1.0
SWEEP_EVERY_S: Final = 30.0
JOURNAL_EVERY_S: Final = 2.0
KEYRING_EVERY_S: Final = 2.0
ROWS_EVERY_S: Final = 0.5
GRACE_S: Final = 10.0
AUDIT: Final = "audit"
_EXPECTED: Final = (*EXPECTED, StorageError)  # a store that refuses ends no role
STATUS_WHILE_STARTING_S: Final = 0.1


async def run(settings: CustodianSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. PrivateFileError or CustodianMisuseError when the operator must correct something first.

    Ready once every camera has keys for the hours at hand. While the database is away it stays up, degraded.
    """
    if not forbid_dumps():
        _log.warning("the kernel does not let this process forbid core dumps")
    with open_custody(settings.directory, settings.keyring_replicas) as custody:
        async with (
            open_pool(
                settings.database, application_name="custodian", min_size=0, max_size=8, ready=READY_CONNECTIONS
            ) as pool,
            _places(settings) as places,
            _store(settings) as store,
        ):
            maker = HourKeyMaker(pool, custody, ahead_hours=settings.keys_ahead_hours, clock_ns=time.time_ns)
            signer = HeadSigner(
                pool,
                custody.signing,
                tuple(places.values()),
                clock_ns=time.time_ns,
                begun=custody.begun,
                begin=custody.begin,
            )
            record = Record(pool, signer, clock_ns=time.time_ns)
            opener = Opener(pool, custody, record, clock_ns=time.time_ns)
            holds = Holds(pool, custody, clock_ns=time.time_ns)
            journal = JournalKeeper(
                pool, None if store is None else JournalWriter(store, custody.signer, custody.signing.sign)
            )
            guards: Any = {"at_once": settings.expire_at_once, "backed_up": journal.all_written}
            retention = Retention(pool, custody, settings.directory, holds, maker, **guards, clock_ns=time.time_ns)
            past_keys = PastKeys(pool, maker, record, clock_ns=time.time_ns)
            orders = Orders(pool, clock_ns=time.time_ns)
            file = StatusFile(settings.run_directory, "custodian")
            live = LiveLooks(pool, record, clock_ns=time.time_ns)
            state = _State(file, maker, signer, opener, retention, Judge(pool), holds, journal)
            parts = opener, past_keys, retention, holds, orders, record, live
            operations = Operations(custody, pool, *parts, state.counters)
            server = Server(operations.table(), allowed(settings))
            state.turned_away = lambda: server.strangers
            async with server.listening(settings.socket), _elsewhere(server, settings.listen):
                await _work(state, custody.keyring, places, stop)
            await _last_head(signer, places)
            state.file.remove()


@contextlib.asynccontextmanager
async def _elsewhere(server: Server, listen: CustodianListen | None) -> AsyncIterator[None]:
    """Answer callers on other machines, where there are any."""
    if listen is None:
        yield
        return
    async with server.listening_by_tls(listen):
        yield


@contextlib.asynccontextmanager
async def _places(settings: CustodianSettings) -> AsyncIterator[dict[str, HeadPlace]]:
    """Where heads are kept, by the topic of what goes wrong there."""
    file = {"audit heads in the file": HeadFile(settings.audit_heads)}
    if settings.store is None:
        yield {**file}
        return
    async with open_store(settings.store, connections=2, range_connections=1) as store:
        yield {**file, "audit heads in the store": HeadBucket(store)}


class _Broken:
    """What of the audit chain does not hold, by the task that found it: one problem, with an alarm of its own."""

    def __init__(self) -> None:
        self._found: dict[str, BrokenAuditError] = {}

    async def watch(self, topic: str, work: Work) -> None:
        """Do it and remember whether the chain held."""
        try:
            await work()
        except BrokenAuditError as error:
            self._found[topic] = error
        else:
            self._found.pop(topic, None)

    def present(self) -> BrokenAuditError | None:
        """Everything that was found, in one; None: all holds."""
        found = list(self._found.values())
        return BrokenAuditError(" ".join(error.what for error in found), found[0].remedy) if found else None


@contextlib.asynccontextmanager
async def _store(settings: CustodianSettings) -> AsyncIterator[ObjectStore | None]:
    if settings.store is None:
        yield None
        return
    async with open_store(settings.store, connections=2, range_connections=1) as store:
        yield store


class _State:
    """The role's parts and their state, for the status file."""

    def __init__(
        self,
        file: StatusFile,
        maker: HourKeyMaker,
        signer: HeadSigner,
        opener: Opener,
        retention: Retention,
        judge: Judge,
        holds: Holds,
        journal: JournalKeeper,
    ) -> None:
        self.file, self.maker, self.signer, self._opener = file, maker, signer, opener
        self.retention, self.judge, self.holds, self.journal = retention, judge, holds, journal
        self.problems = Problems()
        self.broken = _Broken()
        self.problems.watch(AUDIT, self.broken.present)
        retention.watch(self.problems)
        self.counters: dict[str, Any] = {}
        self.turned_away: Callable[[], int] = lambda: 0

    def period_s(self) -> float:
        return self.file.period_s if self.maker.supplied else STATUS_WHILE_STARTING_S

    async def write(self) -> None:
        problems = self.problems.present()
        self._write("degraded" if problems else "ready" if self.maker.supplied else "starting", problems)

    def stopping(self) -> None:
        self._write("stopping", self.problems.present())

    def _write(self, state: str, problems: Sequence[Mapping[str, Any]]) -> None:
        self.counters.update(
            hour_keys_made=self.maker.made,
            cameras=self.maker.camera_count,
            opened=self._opener.opened,
            refused=self._opener.refused,
            turned_away=self.turned_away(),
            audit_signed_seq=self.signer.signed.seq,
            audit_signed_hash=self.signer.signed.hash.hex(),
            retention=self.retention.report(),
            rows_settled=self.judge.settled,
            rows_refused=self.judge.refused,
            cases=self.holds.report(),
            journal_written=self.journal.written,
            journal_waiting=self.journal.waiting,
        )
        self.file.write(state, problems=problems, **self.counters)


async def _work(state: _State, keyring: Keyring, places: Mapping[str, HeadPlace], stop: asyncio.Event) -> None:
    async def check_keyring() -> None:
        found = await keyring.problems()
        state.problems.set("keyring", KeyFileError(" ".join(found)) if found else None)

    async def judge_rows() -> None:
        """Settle what waits; a refused row stays a problem until the next start."""
        await state.judge.run_once()
        if state.judge.refused:
            state.problems.set("rows", ForgedRowsError.of(state.judge.refused, state.judge.last_refused))

    async with supervised(state.problems, grace_s=GRACE_S) as tasks:
        tasks.every(state.period_s, "status", state.write)
        tasks.every(KEYS_EVERY_S, "hour keys", lambda: state.maker.run_once(stop), drain=True)
        tasks.every(RETENTION_EVERY_S, "expiry", state.retention.run_once, expected=_EXPECTED, drain=True)
        tasks.every(HOLDS_EVERY_S, "holds", state.holds.run_once, drain=True)
        tasks.every(ROWS_EVERY_S, "rows of segments", judge_rows, drain=True)
        watched: list[tuple[float, str, Work]] = [
            (HEADS_EVERY_S, "signing of the audit chain", state.signer.run_once),
            (SWEEP_EVERY_S, "sweep of the audit chain", state.signer.sweep),
            *((HEADS_EVERY_S, topic, partial(state.signer.pass_on, place)) for topic, place in places.items()),
        ]
        for every_s, topic, work in watched:
            tasks.every(every_s, topic, partial(state.broken.watch, topic, work), expected=_EXPECTED)
        tasks.every(KEYRING_EVERY_S, "copies of the keyring", check_keyring)
        journal = partial(state.journal.run_once, stop)
        tasks.every(JOURNAL_EVERY_S, "journal in the bucket", journal, expected=(StorageError,), drain=True)
        await stop.wait()
    state.stopping()


async def _last_head(signer: HeadSigner, places: Mapping[str, HeadPlace]) -> None:
    """Sign the last entries. What fails now is done at the next start."""
    with contextlib.suppress(*_EXPECTED, TimeoutError):
        async with asyncio.timeout(2):
            await signer.run_once()
            for place in places.values():
                await signer.pass_on(place)
