"""Committing segments and gaps: what becomes a row, a shadow or a gap, from many sides at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from domain.footage import Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId, RecorderId, SegmentId
from domain.time import DAY_NS, NS, Span
from runtime.database import connect, open_pool
from runtime.errors import DatabaseError
from storage.catalogue import Catalogue, Commit
from storage.catalogue.errors import ContestedIdError, SegmentConflictError
from tests.conftest import Database
from tests.support.footage.catalogue_times import T, segment
from tests.support.footage.signed import SettledCatalogue, settle_all

pytestmark = pytest.mark.services


async def test_row_comes_back_as_it_was_committed(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        whole = segment(camera, 0, 10)
        bare = replace(segment(camera, 10, 20), fragments=None, recovered=True, epoch=7)
        for item in (whole, bare):
            assert await catalogue.commit_segment(item) is Commit.LIVE
            assert await catalogue.segment(item.segment_id) == item
        assert await catalogue.segments([camera], Span(T, T + 20 * NS)) == [whole, bare]
        assert await catalogue.segments([camera], Span(T + 20 * NS, T + 30 * NS)) == []
        assert await catalogue.segments([CameraId(uuid.uuid4())], Span(T, T + 20 * NS)) == []
        assert await catalogue.segment(SegmentId(uuid.uuid4())) is None


async def test_first_segments_of_a_day_from_many_sides_at_once_make_it_once(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test", min_size=8, max_size=8) as pool:
        for day in range(25):
            at_s = day * 86_400
            work = [segment(camera, at_s + n * 10, at_s + n * 10 + 10) for n in range(8)]
            # A catalogue each, as in recorders of their own: nobody knows yet that the day exists.
            outcomes = await asyncio.gather(*(Catalogue(pool).commit_segment(item) for item in work))
            assert outcomes == [Commit.LIVE] * 8


async def test_segment_longer_than_the_look_back_is_refused(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        assert await catalogue.commit_segment(segment(camera, 0, 120)) is Commit.LIVE
        for bad in (segment(camera, 200, 320.000000001), segment(camera, 400, 400)):
            with pytest.raises(DatabaseError):
                await catalogue.commit_segment(bad)
        (found,) = await catalogue.segments([camera], Span(T + 119 * NS, T + 120 * NS))
        assert found.span.duration_ns == 120 * NS


async def test_accounted_for_is_what_footage_or_gaps_cover_removed_or_not(database: Database) -> None:
    camera, other, new = (CameraId(uuid.uuid4()) for _ in range(3))
    gap = Gap(camera_id=camera, span=Span(T + 30 * NS, T + 40 * NS), cause=GapCause.LOSS)
    states = {"live": (0, 10), "contested": (10, 15), "expiring": (15, 20), "gone": (50, 60), "refused": (60, 70)}
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        await catalogue.commit_gaps([gap])
        owner = await connect(database.owner)
        for state, (start_s, end_s) in states.items():
            item = segment(camera, start_s, end_s)
            await catalogue.commit_segment(item)
            await owner.execute("UPDATE segment SET state = $2 WHERE segment_id = $1", item.segment_id, state)
        await owner.close()
        await catalogue.commit_segment(segment(other, 0, 10))
        whole = Span(T, T + 100 * NS)
        spans = await catalogue.accounted_spans(dict.fromkeys((camera, other, new), whole))
        assert spans == {
            camera: [Span(T, T + 20 * NS), Span(T + 30 * NS, T + 40 * NS), Span(T + 50 * NS, T + 60 * NS)],
            other: [Span(T, T + 10 * NS)],
        }
        assert await catalogue.accounted_spans({camera: Span(T + 35 * NS, T + 50 * NS)}) == {camera: [gap.span]}
        for before_s, end_s in ((100, 60), (50, 40), (30, 20), (5, 10)):
            assert await catalogue.accounted_until({camera: T + before_s * NS}) == {camera: T + end_s * NS}
        assert await catalogue.accounted_until({camera: T, new: T + 100 * NS}) == {}


async def test_gaps_are_committed_once_cut_at_midnight_and_joined_again(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    long = Gap(camera_id=camera, span=Span(T + 5 * NS, T + 3 * DAY_NS + 7), cause=GapCause.UNREACHABLE, detail="why")
    short = Gap(camera_id=camera, span=Span(T + 4 * DAY_NS, T + 4 * DAY_NS + 1), cause=GapCause.LOSS)
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        await catalogue.commit_gaps([long, short])
        await catalogue.commit_gaps([short, long])
        await catalogue.commit_gaps([])
        assert await catalogue.gaps([camera], Span(T, T + 5 * DAY_NS)) == [long, short]
        (piece,) = await catalogue.gaps([camera], Span(T + DAY_NS + 1, T + DAY_NS + 2))
        assert piece.span == Span(T + DAY_NS, T + 2 * DAY_NS)


async def tiles(
    catalogue: Catalogue, camera: CameraId, *, holes: int = 0
) -> tuple[list[Span], list[tuple[Span, GapCause]]]:
    """Footage and gaps of a camera, without an overlap, and without a hole but for as many as are said."""
    everything = Span(T - DAY_NS, T + 5 * DAY_NS)
    footage = [item.span for item in await catalogue.segments([camera], everything)]
    gaps = [(gap.span, gap.cause) for gap in await catalogue.gaps([camera], everything)]
    pairs = list(itertools.pairwise(sorted([*footage, *(span for span, _ in gaps)])))
    assert all(before.end_ns <= after.start_ns for before, after in pairs)
    assert sum(before.end_ns < after.start_ns for before, after in pairs) == holes
    return footage, gaps


@asynccontextmanager
async def settled(database: Database) -> AsyncIterator[SettledCatalogue]:
    """Ingest commits, and each row is taken for verified."""
    async with (
        open_pool(database.ingest, application_name="test") as pool,
        open_pool(database.owner, application_name="test", max_size=1) as owner,
    ):
        yield SettledCatalogue(pool, owner)


def seconds(start_s: float, end_s: float) -> Span:
    return Span(T + round(start_s * NS), T + round(end_s * NS))


@pytest.mark.parametrize(
    ("gap", "left"),
    [((0, 100), [(0, 40), (60, 100)]), ((40, 60), []), ((50, 100), [(60, 100)]), ((0, 50), [(0, 40)]), ((41, 59), [])],
)
async def test_footage_takes_the_place_of_gaps(
    database: Database, gap: tuple[int, int], left: list[tuple[int, int]]
) -> None:
    camera = CameraId(uuid.uuid4())
    async with settled(database) as catalogue:
        known = Gap(camera_id=camera, span=seconds(*gap), cause=GapCause.LOSS, detail="why")
        await catalogue.commit_gaps([known])
        assert await catalogue.commit_segment(segment(camera, 40, 60)) is Commit.LIVE
        assert await catalogue.gaps([camera], seconds(-100, 200)) == [
            replace(known, span=seconds(*span)) for span in left
        ]


@pytest.mark.parametrize("order", ["as it was", "the last first", "misfiled last"])
async def test_what_was_filed_ahead_of_time_becomes_a_shadow_and_the_time_is_footage_again(
    database: Database, order: str
) -> None:
    """A clock goes an hour ahead for twenty seconds and comes back; rows come in any order."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())

    def made(start_s: float, end_s: float, epoch: int) -> Segment:
        return replace(segment(camera, start_s, end_s, epoch=epoch), recorder_id=recorder)

    before = [made(at, at + 10, 1) for at in (0, 10)]
    ahead = [made(3600 + at, 3600 + at + 10, 2) for at in (20, 30)]
    again = [made(at, at + 10, 3) for at in (40, 50, 60)]
    gap = Gap(camera_id=camera, span=seconds(20, 3620), cause=GapCause.CLOCK)
    work = {
        "as it was": [*before, *ahead, *again],
        "the last first": [*again[::-1], *ahead[::-1], *before[::-1]],
        "misfiled last": [*before, *again, *ahead],
    }[order]
    async with settled(database) as catalogue:
        for number, item in enumerate(work):
            await catalogue.commit_segment(item)
            if number == 3:
                await catalogue.commit_gaps([gap])
        footage, gaps = await tiles(catalogue, camera)
        assert footage == [item.span for item in [*before, *again]]
        assert gaps[0] == (seconds(20, 40), GapCause.CLOCK)
        for item in ahead:
            found = await catalogue.segment(item.segment_id)
            assert found is not None
            assert found.state is SegmentState.SHADOW
        assert await catalogue.commit_segment(ahead[0]) is Commit.DUPLICATE
        for at in range(70, 3700, 90):  # time goes on until it is there again
            assert await catalogue.commit_segment(made(at, at + 90, 3)) is Commit.LIVE
        footage, gaps = await tiles(catalogue, camera)
        assert gaps == [(seconds(20, 40), GapCause.CLOCK)]


async def test_clock_that_is_wrong_for_a_moment_hides_no_more_than_that(database: Database) -> None:
    """It goes an hour back for ten seconds: an hour of footage stays, but for the two rows that show that time."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())

    def made(start_s: float, epoch: int) -> Segment:
        return replace(segment(camera, start_s, start_s + 10, epoch=epoch), recorder_id=recorder)

    async with settled(database) as catalogue:
        for item in [*(made(at, 1) for at in range(0, 3600, 10)), made(5, 2), made(3610, 3)]:
            assert await catalogue.commit_segment(item) is Commit.LIVE
        footage, _ = await tiles(catalogue, camera, holes=1)
        assert [span for span in footage if span.start_ns % (10 * NS)] == [seconds(5, 15)]
        assert len(footage) == 360 - 2 + 2


async def test_other_recorders_rows_behind_a_new_epoch_stay(database: Database) -> None:
    """What was imported, or recorded by another one, was not filed by the clock that was set back."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())
    async with settled(database) as catalogue:
        imported = segment(camera, 100, 110, epoch=0)
        await catalogue.commit_segment(imported)
        for epoch, start_s in ((1, 0), (2, 10)):
            await catalogue.commit_segment(
                replace(segment(camera, start_s, start_s + 10, epoch=epoch), recorder_id=recorder)
            )
        found = await catalogue.segment(imported.segment_id)
        assert found is not None
        assert found.state is SegmentState.LIVE


async def test_a_shadow_leaves_no_hole(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with settled(database) as catalogue:
        await catalogue.commit_segment(segment(camera, 0, 10))
        await catalogue.commit_segment(segment(camera, 5, 15, epoch=2))
        assert await tiles(catalogue, camera) == ([seconds(5, 15)], [(seconds(0, 5), GapCause.CLOCK)])
        assert await catalogue.commit_segment(segment(camera, 12, 20)) is Commit.SHADOW
        assert await tiles(catalogue, camera) == (
            [seconds(5, 15)],
            [(seconds(0, 5), GapCause.CLOCK), (seconds(15, 20), GapCause.CLOCK)],
        )


@pytest.mark.parametrize("seed", range(12))
async def test_commits_from_many_sides_keep_every_promise(database: Database, seed: int) -> None:
    """Recorders with different leases, replies lost, ids reused: whatever the order, the rows make sense."""
    dice = random.Random(seed)
    cameras = [CameraId(uuid.uuid4()) for _ in range(2)]
    offered: list[Segment] = []
    for _ in range(60):
        camera, start_s = dice.choice(cameras), dice.randrange(0, 300) / 2
        epoch = dice.choice((1, 1, 1, 2, 2, 3))
        offered.append(segment(camera, start_s, start_s + dice.choice((0.5, 5, 10, 30, 120)), epoch=epoch))
    again = [dice.choice(offered) for _ in range(20)]
    changed = [replace(dice.choice(offered), sha256=os.urandom(32)) for _ in range(6)]
    work = [*offered, *again, *changed]
    dice.shuffle(work)
    outcomes: list[tuple[Segment, Commit | None]] = []

    owner = await connect(database.owner)
    try:
        async with open_pool(database.ingest, application_name="test", max_size=6) as pool:
            over = False

            async def committer(items: Sequence[Segment]) -> None:
                catalogue = Catalogue(pool)
                for item in items:
                    try:
                        outcomes.append((item, await catalogue.commit_segment(item)))
                    except (SegmentConflictError, ContestedIdError):
                        outcomes.append((item, None))

            async def settler() -> None:
                while not over:
                    await settle_all(owner)
                    await asyncio.sleep(0.001)

            settling = asyncio.create_task(settler())
            await asyncio.gather(*(committer(work[number::6]) for number in range(6)))
            over = True
            await settling
        await settle_all(owner)
        rows = {row["segment_id"]: row for row in await owner.fetch("SELECT * FROM segment")}
        identities = await owner.fetchval("SELECT count(*) FROM segment_identity")
        told = {row["ref"] for row in await owner.fetch("SELECT ref FROM outbox WHERE kind = 'segment'")}
    finally:
        await owner.close()
    assert len(rows) == identities == len(offered)
    check_outcomes(outcomes, rows, told)
    for camera in cameras:
        check_camera([row for row in rows.values() if row["camera_id"] == camera])


def check_outcomes(
    outcomes: list[tuple[Segment, Commit | None]], rows: dict[uuid.UUID, asyncpg.Record], told: set[uuid.UUID]
) -> None:
    first: dict[uuid.UUID, list[Commit]] = {}
    for item, outcome in outcomes:
        kept = rows[item.segment_id]["sha256"] == item.sha256
        assert (outcome is None) == (not kept)  # the first to come is kept; with other contents nobody is content
        if outcome is not None:
            first.setdefault(item.segment_id, []).append(outcome)
    for segment_id, found in first.items():
        assert len([item for item in found if item is not Commit.DUPLICATE]) == 1
        state = rows[segment_id]["state"]
        assert state in (SegmentState.LIVE, SegmentState.SHADOW)
        if Commit.LIVE in found or state == SegmentState.LIVE:
            assert segment_id in told  # the indexer hears of all that were ever live


def check_camera(rows: list[asyncpg.Record]) -> None:
    live = sorted((row["start_ns"], row["end_ns"]) for row in rows if row["state"] == "live")
    for before, after in itertools.pairwise(live):
        assert before[1] <= after[0], "live segments overlap"
    for row in rows:
        rivals = [
            other
            for other in rows
            if other is not row and other["start_ns"] < row["end_ns"] and row["start_ns"] < other["end_ns"]
        ]
        if row["state"] == "shadow":
            assert any(other["epoch"] >= row["epoch"] for other in rivals), "hidden behind nobody"
        else:
            assert not any(other["epoch"] > row["epoch"] and other["state"] == "live" for other in rivals)
        if all(other["epoch"] < row["epoch"] for other in rivals):
            assert row["state"] == "live", "the highest epoch does not win"


def test_camera_check_finds_overlaps() -> None:
    """Positive control."""
    rows = [
        {"start_ns": 0, "end_ns": 10, "epoch": 1, "state": "live"},
        {"start_ns": 9, "end_ns": 20, "epoch": 1, "state": "live"},
    ]
    with pytest.raises(AssertionError):
        check_camera(rows)  # type: ignore[arg-type]
    rows[1] |= {"state": "shadow", "epoch": 2}
    with pytest.raises(AssertionError):
        check_camera(rows)  # type: ignore[arg-type]
