"""Custodian and keeper killed at every step of early erasure, expiry and hold, ``--rounds`` times each.

Afterwards what should die opens by no row and no header, everything else does, and the certificates are one chain.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import custodian
import upkeep
from custodian.asking import Asker
from custodian.holds.holds import NewHold
from domain.ids import CameraId
from domain.time import DAY_NS, HOUR_NS
from runtime.failpoints import LOG_VARIABLE, VARIABLE
from runtime.settings import StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from storage.journal import JOURNAL_PREFIX, JournalKind, JournalRecord, JournalWriter, list_journal, read_records
from storage.sealed import object_name
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.integration.custodian.test_erasure import around, asked, open_case, person, signed_in
from tests.integration.upkeep.test_periods import add_event
from tests.support.faults.forgetting_process import Step
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past, past
from tests.support.processes.forks import Forks, forks

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

ROUNDS = 1  # in ./test
RESEALING = ("reseal.renewed", "reseal.backed_up", "reseal.dropped")
ERASURE = (
    *("erasure.approved", "erasure.key", "erasure.wrapped", "erasure.replaced", "erasure.entry", *RESEALING),
    *("erasure.certificate", "erasure.certified"),
)
EXPIRY = ("expiry.decided", "expiry.dropped", "expiry.certificate", "expiry.certified")
HOLD = ("hold.entry", "hold.placed", "hold.wrapped")
HOLD_END = ("hold.ended", "hold.destroyed")
KEEPER = ("keeper.object", "keeper.objects", "keeper.rows")
CHANGE = ("change.replaced", "change.moved", *RESEALING)
JOURNAL = ("journal.written", "journal.taken")
KEEPER_LATER = ("keeper.day", "keeper.period", "keeper.record")
MODULE = "tests.support.faults.forgetting_process"


@dataclass(kw_only=True)
class Work:
    """Databases, bucket and the custodian's directory, which a test and its processes use in turn."""

    database: Database
    store: StoreSettings
    keeper_store: StoreSettings
    directory: Path
    forks: Forks

    @asynccontextmanager
    async def gym(self) -> AsyncIterator[Past]:
        async with past(self.database.owner, self.database.custodian, self.directory, back_h=60) as made:
            yield made

    async def step(self, what: str, now_ns: int, place: str = "", **more: Any) -> None:
        """Do it in a process. One that has a ``place`` is killed there: ``@n``, at the n-th hit; else at the first."""
        step = Step(
            what=what,
            owner=self.database.owner,
            custodian=self.database.custodian,
            keeper=self.database.keeper,
            store=self.store if what == "journal" else self.keeper_store,
            directory=self.directory,
            now_ns=now_ns,
            **more,
        )
        file, log = self.directory / "step.pickle", self.directory / "step.log"
        file.write_bytes(pickle.dumps(step))
        strikes = {LOG_VARIABLE: str(self.directory / "strikes")}
        name, _, at = place.partition("@")
        environment = {VARIABLE: f"{name}=kill@{at or 1}", **strikes} if place else {}
        code = await self.forks.run(MODULE, str(file), environment, log)
        assert code == (-signal.SIGKILL if place else 0), (place, log.read_text()[-3000:])

    def strikes(self, place: str) -> int:
        lines = (self.directory / "strikes").read_text().splitlines()
        return sum(line.split()[0] == place for line in lines)


@pytest.fixture
async def work(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Work]:
    async with forks(MODULE) as made:
        yield Work(database=database, store=store, keeper_store=keeper_store, directory=tmp_path, forks=made)


async def put(gym: Past, objects: ObjectStore, camera: CameraId, segments: Sequence[Recorded]) -> list[str]:
    site_id = await gym.owner.fetchval("SELECT site_id FROM camera WHERE camera_id = $1", camera)
    names = []
    for one in segments:
        name = object_name(site_id=site_id, camera_id=camera, segment_id=one.segment_id, start_ns=one.span.start_ns)
        digest = hashlib.sha256(one.data).digest()
        await objects.put_new(name, one.data, size_bytes=len(one.data), sha256=digest)
        names.append(name)
    return names


async def ordered(gym: Past, camera: CameraId, segments: Sequence[Recorded]) -> tuple[UUID, Asker, int]:
    """An order that waits for its approval, by whom, and when: a day later."""
    anna, berit = await person(gym, "exporter"), await person(gym)
    gym.clock.now_ns += 26 * HOUR_NS
    erasure_id = await asked(gym, camera, around(segments), anna)
    await signed_in(gym, berit)
    return erasure_id, berit, gym.clock.now_ns


async def settled(gym: Past) -> None:
    """Nothing is half done."""
    check_chain(await read_certificates(gym.owner, 0, 10_000), gym.custody.signer)
    assert not await gym.custody.keyring.replaced()
    assert await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE certificate IS NULL") == 0
    assert await gym.owner.fetchval("SELECT count(*) FROM erasure WHERE state = 'approved'") == 0
    assert await gym.owner.fetchval("SELECT count(*) FROM hold_backlog") == 0


async def test_erasure_killed_at_any_step_comes_to_the_same(work: Work, rounds_asked: int | None) -> None:
    rounds = rounds_asked or ROUNDS
    all_gone, all_kept = list[Recorded](), list[Recorded]()
    for place in ERASURE:
        for _ in range(rounds):
            async with work.gym() as gym:
                camera = await gym.camera(48)
                segments = await gym.record(camera, 5)
                order, second, now_ns = await ordered(gym, camera, segments[1:3])
            await work.step("approve", now_ns, place, asker=second, order=order)
            async with work.gym() as gym:
                rows = await gym.opener.open_for_verify([one.segment_id for one in segments[1:3]], "test")
                assert not rows  # decided: it is shown no more, whatever is left to do
            await work.step("erase", now_ns)
            all_gone += segments[1:3]
            all_kept += [segments[0], *segments[3:]]
        assert work.strikes(place) == rounds
    async with work.gym() as gym:
        assert await gym.opens(all_gone) == 0
        assert await gym.opens(all_kept) == len(all_kept) == len(ERASURE) * rounds * 3
        await settled(gym)
    print(f"erasure: {len(ERASURE) * rounds} kills, {len(all_gone)} erased: 0 open; {len(all_kept)} kept: all open")


async def test_keeper_killed_at_any_step_of_an_erasure_removes_the_erased_and_nothing_else(
    work: Work, rounds_asked: int | None
) -> None:
    rounds = rounds_asked or ROUNDS
    async with open_store(work.store) as objects:
        await objects.ensure_bucket()
        kept, gone = list[str](), list[str]()
        for place in KEEPER:
            for _ in range(rounds):
                async with work.gym() as gym:
                    camera = await gym.camera(48)
                    segments = await gym.record(camera, 4)
                    names = await put(gym, objects, camera, segments)
                    order, second, now_ns = await ordered(gym, camera, segments[:2])
                await work.step("approve", now_ns, asker=second, order=order)
                await work.step("keep", now_ns, place)
                await work.step("keep", now_ns)
                gone += names[:2]
                kept += names[2:]
            assert work.strikes(place) == rounds
        left = {info.name async for info in objects.list("v1/")}
        assert left & {*gone, *kept} == set(kept)
    async with work.gym() as gym:
        live = await gym.owner.fetchval("SELECT count(*) FROM segment_identity")
        assert live == len(kept)
        assert await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE removed_ns IS NULL") == 0
        await settled(gym)


async def test_expiry_killed_at_any_step_comes_to_the_same(work: Work, rounds_asked: int | None) -> None:
    rounds = rounds_asked or ROUNDS
    over, living = list[Recorded](), list[Recorded]()
    for place in EXPIRY:
        for _ in range(rounds):
            async with work.gym() as gym:
                short, long = await gym.camera(1), await gym.camera(48)
                over += await gym.record(short, 2)
                living += await gym.record(long, 1)
                now_ns = gym.clock.now_ns + 2 * HOUR_NS
            await work.step("expire", now_ns, place)
            await work.step("expire", now_ns)
        assert work.strikes(place) == rounds
    async with work.gym() as gym:
        assert await gym.opens(over) == 0
        assert await gym.opens(living) == len(living) == len(EXPIRY) * rounds
        await settled(gym)


async def test_hold_killed_at_any_step_keeps_what_it_says_and_ends_whole(work: Work, rounds_asked: int | None) -> None:
    rounds = rounds_asked or ROUNDS
    for place in (*HOLD, *HOLD_END):
        for _ in range(rounds):
            async with work.gym() as gym:
                camera = await gym.camera(1)
                segments = await gym.record(camera, 3)
                anna, berit = await person(gym), await person(gym)
                await signed_in(gym, anna, berit)
                case = await open_case(gym)
                new = NewHold(case_id=case, kind="hold", camera_id=camera, span=around(segments[:2]))
                now_ns, later_ns = gym.clock.now_ns, gym.clock.now_ns + 2 * HOUR_NS
            await work.step("hold", now_ns, place if place in HOLD else "", asker=anna, hold=new)
            async with work.gym() as gym:
                placed = await gym.owner.fetchval("SELECT count(*) FROM hold WHERE case_id = $1", case)
            await work.step("expire", later_ns)
            async with work.gym() as gym:
                assert await gym.opens(segments) == (2 if placed else 0), place
                assert placed == (place != "hold.entry")
                if placed:
                    gym.clock.now_ns = later_ns
                    await signed_in(gym, anna, berit)
                    await gym.holds.ask_end(case, anna)
            if placed:
                await work.step("end", later_ns, place if place in HOLD_END else "", asker=berit, case=case)
                await work.step("expire", later_ns)
            async with work.gym() as gym:
                assert await gym.opens(segments) == 0
                await settled(gym)
        assert work.strikes(place) == rounds


async def test_changed_retention_killed_at_any_step_comes_to_the_same(work: Work, rounds_asked: int | None) -> None:
    """Shorter for one camera, longer for another; a third one's key is under the same entries and stays as it was."""
    rounds = rounds_asked or ROUNDS
    shorter, longer, same = list[Recorded](), list[Recorded](), list[Recorded]()
    for place in CHANGE:
        for _ in range(rounds):
            async with work.gym() as gym:
                cameras = [await gym.camera(20) for _ in range(3)]
                for camera, found in zip(cameras, (shorter, longer, same), strict=True):
                    found += await gym.record(camera, 1)
                change = "UPDATE camera SET retention_s = $2 * 3600 WHERE camera_id = $1"
                await gym.owner.execute(change, cameras[0], 8)
                await gym.owner.execute(change, cameras[1], 22)
                await gym.expiry.confirm(gym.start_ns, 0, "operator:0", {str(cameras[0]): 8 * 3600})
                now_ns = gym.clock.now_ns
            await work.step("expire", now_ns, place)
            async with work.gym() as gym:
                assert await gym.opens([*shorter, *longer, *same]) == len(same) * 3
            await work.step("expire", now_ns)
        assert work.strikes(place) == rounds
    for ahead_h, living in ((9, [*longer, *same]), (21, longer), (23, [])):
        await work.step("expire", now_ns + ahead_h * HOUR_NS)
        async with work.gym() as gym:
            assert await gym.opens([*shorter, *longer, *same]) == len(living) == await gym.opens(living)
            await settled(gym)


async def test_journal_killed_at_any_step_has_every_row_once(work: Work, rounds_asked: int | None) -> None:
    rounds = rounds_asked or ROUNDS
    async with open_store(work.store) as objects:
        await objects.ensure_bucket()
        for place in JOURNAL:
            for _ in range(rounds):
                async with work.gym() as gym:
                    await gym.camera(48)
                await work.step("journal", gym.start_ns, place)
                await work.step("journal", gym.start_ns)
            assert work.strikes(place) == rounds
        async with work.gym() as gym:
            assert await gym.owner.fetchval("SELECT count(*) FROM journal_outbox WHERE kind = 'hour_key'") == 0
            wanted = {str(row["hour_key_id"]) for row in await gym.owner.fetch("SELECT hour_key_id FROM hour_key")}
            listing = await list_journal(objects)
            found = [one async for one in read_records(objects, listing.of(JournalKind.HOUR_KEY), {gym.custody.signer})]
    assert not listing.refused
    assert {row["hour_key_id"] for one in found if isinstance(one, JournalRecord) for row in one.rows} == wanted
    assert sum(isinstance(one, JournalRecord) for one in found) == len(found) > 0
    assert len(wanted) > len(JOURNAL) * rounds


async def test_keeper_killed_after_a_day_or_a_period_goes_on(work: Work, rounds_asked: int | None) -> None:
    rounds = rounds_asked or ROUNDS
    days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'segment'::regclass"
    async with work.gym() as gym, open_store(work.store) as objects:
        living = await gym.record(await gym.camera(90), 1)
        await objects.ensure_bucket()
        writer = JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign)
        for number in range(rounds + 2):
            await writer.write(JournalKind.GAP, gym.start_ns - 500 * DAY_NS, [{"number": number}])
        kept = await writer.write(JournalKind.GAP, gym.start_ns, [{}])
    for number in range(rounds):
        async with work.gym() as gym:
            await gym.record(await gym.camera(1), 2)
            for days_ago in (9.9, 10.1):
                await add_event(gym.owner, days_ago)
            now_ns = gym.start_ns + 4 * HOUR_NS
        await work.step("expire", now_ns)
        await work.step("keep", now_ns)
        async with work.gym() as gym:
            await gym.owner.execute("SELECT ensure_segment_day($1)", gym.start_ns - 5 * DAY_NS)
            before = await gym.owner.fetchval(days)
        await work.step("keep", now_ns, "keeper.day")
        await work.step("keep", now_ns)
        await work.step("periods", time.time_ns(), f"keeper.period@{number % 8 + 1}")
        await work.step("periods", time.time_ns())
        await work.step("prune", time.time_ns(), "keeper.record")
        async with work.gym() as gym:
            assert await gym.owner.fetchval(days) == before - 1
            assert await gym.owner.fetchval("SELECT count(*) FROM access_event") == number + 1
            assert await gym.opens(living) == 1
            await settled(gym)
    assert [work.strikes(place) for place in KEEPER_LATER] == [rounds, rounds, rounds]
    await work.step("prune", time.time_ns())
    async with open_store(work.store) as objects:
        assert [info.name async for info in objects.list(JOURNAL_PREFIX)] == [kept]


def test_every_failpoint_of_forgetting_is_in_the_lists() -> None:
    """A new place is tested from the day it is named."""
    folders = [Path(next(iter(custodian.__path__))), Path(next(iter(upkeep.__path__))) / "keeper"]
    named = {
        name
        for folder in folders
        for path in folder.rglob("*.py")
        for name in re.findall(r'\bhit\("([a-z._]+)"', path.read_text())
    }
    known = {*ERASURE, *EXPIRY, *HOLD, *HOLD_END, *KEEPER, *CHANGE, *JOURNAL, *KEEPER_LATER}
    assert named == known, named ^ known
