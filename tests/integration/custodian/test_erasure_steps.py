"""How an erasure is carried out: late footage, a key in use, a hold at the same time, crashes at every step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custodian.erasure import replace as replace_module
from custodian.errors import CustodianMisuseError, NotBackedUpError
from custodian.holds.holds import NewHold
from custodian.keys import resealing as resealing_module
from domain.time import HOUR_NS, NS, Span
from runtime.database import open_pool
from storage.catalogue import Catalogue
from storage.catalogue.certificates import check_chain, read_certificates
from storage.keys import FileKeyring
from tests.conftest import Database
from tests.integration.custodian.test_erasure import around, asked, erased, open_case, person, signed_in, state_of
from tests.support.footage.custodian import record
from tests.support.footage.past import Past, past

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(database: Database, tmp_path: Path) -> AsyncIterator[Past]:
    async with past(database.owner, database.custodian, tmp_path, back_h=60) as made:
        yield made


async def test_footage_of_the_span_that_comes_late_goes_too(gym: Past, database: Database) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 3)
    catalogue = Catalogue(gym.pool)
    late, stays = [await catalogue.segment(one.segment_id) for one in segments[1:]]
    assert late is not None
    assert stays is not None
    for row in (late, stays):
        await gym.owner.execute("DELETE FROM segment_identity WHERE segment_id = $1", row.segment_id)
        await gym.owner.execute("DELETE FROM segment WHERE segment_id = $1", row.segment_id)
    anna, berit = await person(gym), await person(gym)
    gym.clock.now_ns += 2 * HOUR_NS
    erasure_id = await asked(gym, camera, Span(segments[0].span.start_ns, segments[1].span.end_ns), anna)
    await signed_in(gym, berit)
    assert await gym.orders.approve(erasure_id, berit) == 1
    # The recorder may still have footage of the hour: the key lives until it has come, or a day has passed.
    assert await gym.erasures.run_once() == 0
    async with open_pool(database.ingest, application_name="ingest") as ingest:
        assert await Catalogue(ingest).commit_segment(late) == "expired"
        assert await Catalogue(ingest).commit_segment(stays) == "live"
    rest = Span(segments[2].span.end_ns, gym.start_ns + HOUR_NS)
    await gym.owner.execute(
        "SELECT commit_gaps(ARRAY[$1::uuid], ARRAY[$2::bigint], ARRAY[$3::bigint], ARRAY['stopped'], ARRAY[''])",
        camera,
        rest.start_ns,
        rest.end_ns,
    )
    assert await gym.erasures.run_once() == 1
    assert await gym.opens(segments[:2]) == 0
    assert await gym.opens(segments[2:]) == 1
    assert await state_of(gym, erasure_id) == "done"
    (certificate,) = await read_certificates(gym.owner, 0, 10)
    assert certificate.said()["segments"] == 2
    # Later than that: acknowledged, removed, and a gap.
    key = await gym.owner.fetchrow("SELECT * FROM expired_key WHERE erased")
    assert key["hour_key_id"] == late.hour_key_id


async def test_key_in_use_is_rotated_first(gym: Past) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 3)
    anna, berit = await person(gym), await person(gym)
    gym.clock.now_ns += 60 * NS
    erasure_id = await asked(gym, camera, segments[0].span, anna)
    await signed_in(gym, berit)
    await gym.orders.approve(erasure_id, berit)
    assert await gym.erasures.run_once() == 0  # the recorder still uses it; another one is published
    fresh = (await gym.keys()).key_for(camera, gym.clock.now_ns)
    new = await record(gym.owner, gym.recorder, fresh, b"new", start_ns=gym.start_ns + 40 * NS)
    assert await gym.erasures.run_once() == 0  # ten seconds are not accounted for
    gap = gym.start_ns + 30 * NS, gym.start_ns + 40 * NS
    await gym.owner.execute("INSERT INTO gap VALUES ($1, $2, $3, 'loss')", camera, *gap)
    assert await gym.erasures.run_once() == 1
    assert await gym.opens([*segments[1:], new]) == 3
    assert await gym.opens(segments[:1]) == 0


async def waiting(gym: Past, count: int) -> None:
    """Until so many wait for the camera's lock, which PostgreSQL gives in the order in which they came."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while await gym.owner.fetchval(query) < count:  # noqa: ASYNC110 it waits in the database
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("first", ["hold", "erasure"])
async def test_hold_and_erasure_at_the_same_time_are_decided_by_the_lock(gym: Past, first: str) -> None:
    """Whichever is first: what the hold says that it keeps opens afterwards, or all of it is erased."""
    anna, berit = await person(gym), await person(gym)
    camera = await gym.camera(48)
    segments = await gym.record(camera, 3)
    gym.clock.now_ns += 30 * NS
    case_id = await open_case(gym)
    erasure_id = await asked(gym, camera, around(segments), anna)
    await signed_in(gym, berit)
    new = NewHold(case_id=case_id, kind="hold", camera_id=camera, span=around(segments))

    async def place() -> int:
        return (await gym.holds.place(new, anna))[1]

    async def approve() -> int:
        with contextlib.suppress(CustodianMisuseError):
            return await gym.orders.approve(erasure_id, berit)
        return 0

    order = [place, approve] if first == "hold" else [approve, place]
    lock = "hashtextextended('camera ' || $1::uuid, 0)"
    async with asyncio.TaskGroup() as group:
        await gym.owner.execute(f"SELECT pg_advisory_lock({lock})", camera)
        tasks = []
        for number, work in enumerate(order, start=1):
            tasks.append(group.create_task(work()))
            await waiting(gym, number)
        await gym.owner.execute(f"SELECT pg_advisory_unlock({lock})", camera)
    assert [task.result() for task in tasks] == [3, 0]
    gym.clock.now_ns += 26 * HOUR_NS
    await gym.erasures.run_once()
    assert await gym.opens(segments) == (3 if first == "hold" else 0)
    assert await state_of(gym, erasure_id) == ("asked" if first == "hold" else "done")


PLACES = (
    "erasure.key",
    "erasure.wrapped",
    "erasure.replaced",
    "erasure.entry",
    "reseal.renewed",
    "reseal.backed_up",
    "reseal.dropped",
    "erasure.certificate",
    "erasure.certified",
)


@pytest.mark.parametrize("place", PLACES)
async def test_crash_at_any_step_is_made_good_at_the_next_start(
    gym: Past, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, other = await gym.camera(48), await gym.camera(48)
    segments, beside = await gym.record(camera, 5), await gym.record(other, 2)
    erasure_id = await erased(gym, camera, segments[1:3])

    class CrashError(Exception):
        pass

    def crash(name: str) -> None:
        if name == place:
            raise CrashError

    for module in (replace_module, resealing_module):
        monkeypatch.setattr(module, "hit", crash)
    with pytest.raises(CrashError):
        await gym.erasures.run_once()
    monkeypatch.undo()
    await gym.change.run_once()  # as at the next start: what has two keys is finished first
    await gym.erasures.run_once()
    assert await gym.opens(segments[1:3]) == 0
    assert await gym.opens([segments[0], *segments[3:], *beside]) == 5
    assert await state_of(gym, erasure_id) == "done"
    certificates = await read_certificates(gym.owner, 0, 10)
    check_chain(certificates, gym.custody.signer)
    assert [one.said()["segments"] for one in certificates] == [2]
    ring = FileKeyring.load([gym.directory / "custody" / "keyring"])
    assert await ring.replaced() == frozenset()


async def test_old_keys_live_until_the_bucket_has_the_new_ones(gym: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 3)
    await erased(gym, camera, segments[:1])

    async def away() -> None:
        raise NotBackedUpError("The store is away.")

    resealing = gym.resealing
    monkeypatch.setattr(resealing, "_backed_up", away)
    with pytest.raises(NotBackedUpError):
        await gym.erasures.run_once()
    assert not await read_certificates(gym.owner, 0, 10)
    assert await gym.custody.keyring.replaced()
    monkeypatch.undo()
    await gym.change.run_once()
    await gym.erasures.run_once()
    assert len(await read_certificates(gym.owner, 0, 10)) == 1
    assert await gym.opens(segments) == 2
    assert not await gym.custody.keyring.replaced()
