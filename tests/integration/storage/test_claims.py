"""Somebody has ingest's database password and writes what it lets them: no footage is hidden, nothing is silent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.footage import LEASE_SHIFT, Codec, FragmentIndex, Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import DAY_NS, NS, Span
from runtime.database import open_pool
from runtime.errors import DatabaseError
from runtime.status import read_status_files
from storage.catalogue import Catalogue, Commit
from storage.catalogue.errors import ContestedIdError, LeaseNotHeldError, SegmentConflictError
from storage.claims import Judge
from storage.sealed import object_name_of
from tests.conftest import Database
from tests.support.footage.custodian import custodian, custodian_settings, until
from tests.support.footage.signed import SITE_ID, Signer, garbage
from upkeep.hidden import find_hidden, show_hidden

pytestmark = pytest.mark.services

T = 20_500 * DAY_NS
ALL = Span(T - DAY_NS, T + DAY_NS)
HUGE = (1 << LEASE_SHIFT) - 1  # the highest epoch without a lease


def seconds(start_s: float, end_s: float) -> Span:
    return Span(T + round(start_s * NS), T + round(end_s * NS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gym:
    """``ingest`` is what the thief has, and the recorder."""

    ingest: asyncpg.Pool
    custodian: asyncpg.Pool
    owner: asyncpg.Pool
    recorder: Signer
    camera: CameraId

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.ingest)

    async def judge(self) -> Judge:
        made = Judge(self.custodian)
        await made.run_once()
        assert await self.owner.fetchval("SELECT count(*) FROM segment_claim") == 0
        return made

    async def recorded(self, *spans: tuple[float, float], epoch: int = 1) -> list[Segment]:
        made = [self.recorder.segment(self.camera, seconds(*span), epoch=epoch) for span in spans]
        for item in made:
            await self.catalogue.commit_segment(item)
        await self.judge()
        return made

    async def shown(self) -> list[UUID]:
        return [item.segment_id for item in await self.catalogue.segments([self.camera], ALL)]

    async def gaps(self) -> list[tuple[Span, GapCause]]:
        return [(gap.span, gap.cause) for gap in await self.catalogue.gaps([self.camera], ALL)]

    async def state(self, segment: Segment) -> SegmentState:
        found = await self.catalogue.segment(segment.segment_id)
        assert found is not None
        return found.state


@pytest.fixture
async def gym(database: Database) -> AsyncIterator[Gym]:
    async with (
        open_pool(database.ingest, application_name="test") as ingest,
        open_pool(database.custodian, application_name="test") as judging,
        open_pool(database.owner, application_name="test") as owner,
    ):
        made = Gym(ingest=ingest, custodian=judging, owner=owner, recorder=Signer(), camera=CameraId(uuid4()))
        await made.recorder.enrol(owner)
        await owner.execute("INSERT INTO site VALUES ($1, 'a', 'UTC')", SITE_ID)
        await owner.execute("INSERT INTO camera VALUES ($1, $2, 'a', 3600)", made.camera, SITE_ID)
        yield made


def forgeries(gym: Gym, span: Span) -> dict[str, Segment]:
    """Rows of the highest epoch there is, each wrong in one way."""
    stranger, mine = Signer(), gym.recorder
    genuine = mine.segment(gym.camera, span, epoch=HUGE)
    another = mine.segment(gym.camera, span)
    longer = Span(span.start_ns, span.end_ns + NS)
    return {
        "random bytes": garbage(gym.camera, span, epoch=HUGE, recorder_id=mine.recorder_id),
        "no trailer": replace(genuine, trailer=None),
        "a stranger's": stranger.segment(gym.camera, span, epoch=HUGE),
        "in the recorder's name": replace(
            genuine, trailer=stranger.trailer(replace(genuine, recorder_id=mine.recorder_id))
        ),
        "another segment's trailer": replace(genuine, trailer=another.trailer),
        "another segment's header": replace(genuine, header=another.header),
        "another camera's": replace(mine.segment(CameraId(uuid4()), span, epoch=HUGE), camera_id=gym.camera),
        "another time": replace(mine.segment(gym.camera, seconds(900, 910), epoch=HUGE), span=span),
        "a later end": replace(genuine, span=longer),
        "another size": replace(genuine, size_bytes=genuine.size_bytes + 1),
        "another site": replace(genuine, site_id=SiteId(uuid4())),
        "another hour key": replace(genuine, hour_key_id=HourKeyId(uuid4())),
        "recovered": replace(genuine, recovered=True),
        "index beyond the end": replace(
            genuine, fragments=FragmentIndex(start_ms=(0,), offset=(700,), size=(1 << 30,), key=(True,))
        ),
    }


NOTHING: Any = None
WAYS = list(
    forgeries(Gym(ingest=NOTHING, custodian=NOTHING, owner=NOTHING, recorder=Signer(), camera=CameraId(uuid4())), ALL)
)


async def test_no_forged_row_hides_footage(gym: Gym) -> None:
    known = await gym.recorded((0, 10), (10, 20), (20, 30))
    for way in WAYS:
        forged = forgeries(gym, seconds(5, 25))[way]
        assert await gym.catalogue.commit_segment(forged) is Commit.CONTESTED, way
        assert await gym.shown() == [item.segment_id for item in known], way
        judge = await gym.judge()
        assert judge.refused == 1 and judge.last_refused.startswith(object_name_of(forged)), way
        assert await gym.state(forged) is SegmentState.REFUSED, way
        assert await gym.owner.fetchval(
            "SELECT reason FROM object_quarantine WHERE object_name = $1", object_name_of(forged)
        )
    assert await gym.shown() == [item.segment_id for item in known]
    assert await gym.gaps() == []


async def test_a_signed_row_of_a_higher_epoch_does_hide(gym: Gym) -> None:
    """Positive control: the judge lets through what it should."""
    known = await gym.recorded((0, 10), (10, 20), (20, 30))
    (winner,) = await gym.recorded((5, 25), epoch=2)
    assert await gym.shown() == [winner.segment_id]
    assert [await gym.state(item) for item in known] == [SegmentState.SHADOW] * 3
    assert await gym.gaps() == [(seconds(0, 5), GapCause.CLOCK), (seconds(25, 30), GapCause.CLOCK)]


async def test_forged_row_shows_no_epoch_to_be_misfiled(gym: Gym) -> None:
    """Its epoch would have begun before all others: what is known, and what comes, would be in the shadow."""
    known = await gym.recorded((0, 10))
    forged = garbage(gym.camera, seconds(-500, -490), epoch=HUGE, recorder_id=gym.recorder.recorder_id)
    assert await gym.catalogue.commit_segment(forged) is Commit.LIVE
    await gym.judge()
    later = await gym.recorded((10, 20))
    assert await gym.shown() == [item.segment_id for item in [*known, *later]]
    assert await gym.gaps() == [(seconds(-500, -490), GapCause.QUARANTINED)]


async def test_forged_row_that_comes_first_gives_way(gym: Gym) -> None:
    forged = garbage(gym.camera, seconds(0, 10), epoch=HUGE)
    assert await gym.catalogue.commit_segment(forged) is Commit.LIVE
    genuine = gym.recorder.segment(gym.camera, seconds(0, 10), epoch=1)
    assert await gym.catalogue.commit_segment(genuine) is Commit.CONTESTED
    await gym.judge()
    assert await gym.shown() == [genuine.segment_id]
    assert await gym.gaps() == []
    refs = [row["ref"] for row in await gym.owner.fetch("SELECT ref FROM outbox ORDER BY outbox_id")]
    assert refs == [forged.segment_id, forged.segment_id, genuine.segment_id]  # its tags end, the other's begin


async def test_forged_row_under_the_id_of_a_genuine_one_does_not_keep_it_out(gym: Gym) -> None:
    genuine = gym.recorder.segment(gym.camera, seconds(0, 10), epoch=1)
    await gym.catalogue.commit_segment(replace(genuine, sha256=os.urandom(32), trailer=os.urandom(168)))
    with pytest.raises(ContestedIdError):
        await gym.catalogue.commit_segment(genuine)
    await gym.judge()
    # A gap took the forged one's place. Repeated in full, for the case that the custodian erred.
    assert await gym.catalogue.commit_segment(replace(genuine, trailer=None)) is Commit.CONTESTED
    await gym.judge()
    assert await gym.catalogue.commit_segment(genuine) is Commit.CONTESTED
    await gym.judge()
    assert await gym.shown() == [genuine.segment_id]
    assert await gym.gaps() == []
    assert await gym.owner.fetchval("SELECT count(*) FROM object_quarantine") == 0
    with pytest.raises(SegmentConflictError):
        await gym.catalogue.commit_segment(replace(genuine, sha256=os.urandom(32)))


async def test_gaps_keep_their_cause_under_forged_rows_and_footage_its_time_under_gaps(gym: Gym) -> None:
    known = await gym.recorded((0, 10))
    gap = Gap(camera_id=gym.camera, span=seconds(10, 60), cause=GapCause.UNREACHABLE)
    await gym.catalogue.commit_gaps([gap])
    assert await gym.catalogue.commit_segment(garbage(gym.camera, seconds(20, 30))) is Commit.CONTESTED
    await gym.judge()
    await gym.catalogue.commit_gaps([Gap(camera_id=gym.camera, span=seconds(-5, 200), cause=GapCause.STOPPED)])
    assert await gym.shown() == [known[0].segment_id]
    assert await gym.gaps() == [
        (seconds(-5, 0), GapCause.STOPPED),
        (gap.span, gap.cause),
        (seconds(60, 200), GapCause.STOPPED),
    ]
    late = await gym.recorded((20, 30))  # genuine footage takes a gap's time, whoever claimed it
    assert await gym.shown() == [known[0].segment_id, late[0].segment_id]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO segment (segment_id) VALUES (gen_random_uuid())",
        "UPDATE segment SET state = 'shadow'",
        "DELETE FROM segment",
        "INSERT INTO gap VALUES (gen_random_uuid(), 1, 2, 'stopped', '')",
        "DELETE FROM gap",
        "INSERT INTO footage_epoch VALUES (gen_random_uuid(), gen_random_uuid(), 5, 0)",
        "INSERT INTO camera_lease VALUES (gen_random_uuid(), 5, gen_random_uuid(), 0)",
        "DELETE FROM segment_claim",
        "INSERT INTO object_quarantine VALUES ('v1/x', 1, 'mine')",
        "SELECT settle_segment(gen_random_uuid(), NULL, '')",
        "SELECT fill_gap(gen_random_uuid(), 1, 2, 'clock')",
        "SELECT cut_gaps(gen_random_uuid(), 1, 2)",
        "UPDATE camera SET removed_ns = 1",
        "INSERT INTO outbox (kind, ref) VALUES ('segment', gen_random_uuid())",
        "INSERT INTO recorder VALUES (gen_random_uuid(), 'x', ''::bytea, 0)",
        "SELECT * FROM hour_key",
        "INSERT INTO tag SELECT",
    ],
)
async def test_ingest_may_not(gym: Gym, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await gym.ingest.execute(statement)


async def test_epoch_counts_as_far_as_the_recorder_holds_its_lease(gym: Gym) -> None:
    second = Signer()
    await second.enrol(gym.owner)
    first_lease = await gym.catalogue.take_leases([gym.camera], gym.recorder.recorder_id)
    assert first_lease == {gym.camera: 1}
    assert await gym.catalogue.take_leases([gym.camera], gym.recorder.recorder_id) == first_lease
    assert await gym.catalogue.take_leases([gym.camera], second.recorder_id) == {gym.camera: 2}
    assert await gym.catalogue.take_leases([CameraId(uuid4())], second.recorder_id) == {}
    assert await gym.catalogue.take_leases([gym.camera], Signer().recorder_id) == {}  # not enrolled
    for lease in (2, 3, 1 << 30):
        chosen = gym.recorder.segment(gym.camera, seconds(0, 10), epoch=lease << LEASE_SHIFT)
        with pytest.raises(LeaseNotHeldError):
            await gym.catalogue.commit_segment(chosen)
    with pytest.raises(LeaseNotHeldError):
        await gym.catalogue.commit_segment(gym.recorder.segment(gym.camera, seconds(0, 10), epoch=-1))
    # The first recorder was cut off, and records on under its lease, however often its clock is set.
    own = await gym.recorded((0, 10), (10, 20), epoch=(1 << LEASE_SHIFT) + 7)
    theirs = second.segment(gym.camera, seconds(5, 15), epoch=2 << LEASE_SHIFT)
    assert await gym.catalogue.commit_segment(theirs) is Commit.CONTESTED
    await gym.judge()
    assert await gym.shown() == [theirs.segment_id]
    late = await gym.recorded((12, 22), epoch=(1 << LEASE_SHIFT) + 8)
    assert [await gym.state(item) for item in [*own, *late]] == [SegmentState.SHADOW] * 3


async def test_revoked_recorder_is_given_no_lease_and_its_later_rows_are_refused(gym: Gym) -> None:
    stolen = Signer()
    await stolen.enrol(gym.owner, revoked_ns=T + 20 * NS)
    assert await gym.catalogue.take_leases([gym.camera], stolen.recorder_id) == {}
    rows = [stolen.segment(gym.camera, seconds(*span), epoch=HUGE) for span in ((0, 20), (20, 30))]
    for row in rows:
        await gym.catalogue.commit_segment(row)
    await gym.judge()
    assert [await gym.state(row) for row in rows] == [SegmentState.LIVE, SegmentState.REFUSED]


async def test_recorder_that_was_taken_over_hides_nothing_older_than_two_days(gym: Gym) -> None:
    """It signs what it likes, of the highest epoch."""
    known = await gym.recorded((0, 10), (10, 20))
    age = "UPDATE segment SET committed_ns = now_ns() - $2 WHERE segment_id = $1"
    await gym.owner.execute(age, known[0].segment_id, 2 * DAY_NS + NS)
    await gym.owner.execute(age, known[1].segment_id, 2 * DAY_NS - 3600 * NS)
    (lie,) = await gym.recorded((5, 10), epoch=HUGE - 1)
    assert await gym.state(lie) is SegmentState.SHADOW
    (lie,) = await gym.recorded((-900, -890), epoch=HUGE)  # before all: every earlier epoch would be misfiled
    assert await gym.shown() == [lie.segment_id, known[0].segment_id]
    assert await gym.state(known[1]) is SegmentState.SHADOW


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": Codec(name="vp8", mime="x", width=1, height=1)},
        {"codec": Codec(name="h264", mime="x" * 101, width=1, height=1)},
        {"frames": -1},
        {"fragments": FragmentIndex(start_ms=(0,), offset=(700, 800), size=(1,), key=(True,))},
        {"fragments": FragmentIndex(start_ms=(0,), offset=(None,), size=(1,), key=(True,))},  # type: ignore[arg-type]
        {"fragments": FragmentIndex(start_ms=None, offset=(1,), size=(1,), key=(True,))},  # type: ignore[arg-type]
        {"fragments": FragmentIndex(start_ms=((0,),), offset=(1,), size=(1,), key=(True,))},  # type: ignore[arg-type]
        {"span": Span(4_700_000_000 * NS, 4_700_000_010 * NS)},  # a table for each of a million days to come
    ],
)
async def test_row_that_readers_would_stumble_over_is_not_taken(gym: Gym, changes: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError):
        await gym.catalogue.commit_segment(replace(garbage(gym.camera, seconds(0, 10)), **changes))
    assert await gym.owner.fetchval("SELECT count(*) FROM segment") == 0


async def test_what_came_past_the_custodian_is_found_and_the_footage_shown_again(gym: Gym) -> None:
    """As it was when a commit was believed: a forged row is live, and what it hid is in the shadow."""
    known = await gym.recorded((0, 10), (10, 20), (20, 30))
    (winner,) = await gym.recorded((60, 70), epoch=2)
    (loser,) = await gym.recorded((65, 75))
    forged = garbage(gym.camera, seconds(5, 25), epoch=HUGE)
    await gym.catalogue.commit_segment(forged)
    await gym.owner.execute("DELETE FROM segment_claim")
    await gym.owner.execute(
        "UPDATE segment SET state = 'shadow' WHERE segment_id = ANY ($1)", [k.segment_id for k in known]
    )
    await gym.owner.execute("UPDATE segment SET state = 'live' WHERE segment_id = $1", forged.segment_id)
    before = await find_hidden(gym.owner)
    assert (before.forged, before.rows) == (1, 0)
    done = await show_hidden(gym.owner)
    assert (done.forged, done.rows) == (1, 3)
    assert await gym.shown() == [item.segment_id for item in [*known, winner]]
    assert await gym.state(loser) is SegmentState.SHADOW  # what a genuine row hides stays hidden
    assert [cause for _, cause in await gym.gaps()] == [GapCause.CLOCK]  # of the loser
    after = await find_hidden(gym.owner)
    assert (after.forged, after.rows) == (0, 0)
    again = await show_hidden(gym.owner)
    assert (again.forged, again.rows) == (0, 0)


async def test_running_custodian_refuses_and_says_so(gym: Gym, database: Database, tmp_path: Path) -> None:
    settings = custodian_settings(database.custodian, tmp_path)
    async with custodian(settings):
        known = gym.recorder.segment(gym.camera, seconds(0, 10), epoch=1)
        forged = garbage(gym.camera, seconds(5, 15), epoch=HUGE)
        for item in (known, forged):
            await gym.catalogue.commit_segment(item)

        async def told() -> bool:
            (status,) = read_status_files(settings.run_directory)
            return status["rows_refused"] == 1 and "rows" in {item["topic"] for item in status["problems"]}

        await until(told)
        assert await gym.shown() == [known.segment_id]
