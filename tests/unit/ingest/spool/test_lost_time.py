"""Without ``fsync`` a power cut takes what was accepted: the time of it becomes a gap, and nothing else does."""

from __future__ import annotations

import pytest

from domain.footage import GapCause
from domain.time import HOUR_NS, NS, Span
from ingest.spool.lost_time import LostTime, Resumed
from tests.support.footage.recorded import causes, left_in_spool
from tests.support.footage.recording import FakeCatalogue, Rig, assert_tiled, until

SEGMENT_S = 2.0


@pytest.mark.parametrize(
    ("held", "accounted", "holes"),
    [
        pytest.param([], [(500, 900)], [(900, 1000)], id="footage is gone"),
        pytest.param([(900, 950)], [(500, 900)], [(950, 1000)], id="a part of it"),
        pytest.param([(920, 950)], [(500, 900)], [(900, 920), (950, 1000)], id="around a part"),
        pytest.param([(950, 1000)], [(500, 900), (910, 950)], [(900, 910)], id="before what was committed out of turn"),
        pytest.param([(900, 1000)], [(500, 900)], [], id="nothing: all of it waits in the spool"),
        pytest.param([], [(500, 1000)], [], id="nothing: all of it is committed"),
        pytest.param([], [(500, 1100)], [], id="nothing: the position is the older one"),
        pytest.param([(500, 900)], [], [(900, 1000)], id="the catalogue knows nothing of that hour"),
        pytest.param([], [], [], id="nobody does"),
    ],
)
def test_hole_is_what_neither_catalogue_nor_spool_accounts_for(
    held: list[tuple[int, int]], accounted: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    resumed = Resumed(until_ns=1000, known=True, held=[Span(*span) for span in held])
    assert resumed.holes(Span(400, 1000), [Span(*span) for span in accounted]) == [Span(*span) for span in holes]


def test_hour_before_the_position_is_looked_at_or_before_the_last_that_is_known_where_it_is_gone() -> None:
    known, gone = (Resumed(until_ns=9 * HOUR_NS, known=known, held=[]) for known in (True, False))
    assert known.looked_at(None) == known.looked_at(5 * HOUR_NS) == Span(8 * HOUR_NS, 9 * HOUR_NS)
    assert gone.looked_at(5 * HOUR_NS) == Span(4 * HOUR_NS, 9 * HOUR_NS)
    assert gone.looked_at(None) is None


async def recorded(rig: Rig, *, unsent: int) -> list[str]:
    """Two segments in the catalogue, ``unsent`` in the spool alone; then the power fails. The names of these."""
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(2):
            rig.segment(camera)
        await until(lambda: len(rig.catalogue.segments) == 2)
    rig.store.away = True
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder(drain_s=0) as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            for _ in range(unsent):
                rig.segment(camera)
            raise KeyboardInterrupt
    rig.store.away = False
    return sorted({name.rpartition(".")[0] for name in left_in_spool(rig)})


def lose(rig: Rig, name: str) -> None:
    for path in (rig.directory / "spool" / "segments").glob(f"{name}.*"):
        path.unlink()


async def started_again(rig: Rig, *, after_s: float = 5.0) -> None:
    """And records on."""
    rig.now_ns += round(after_s * NS)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        await until(lambda: not recorder.lost_time._waiting)
        rig.stop(camera)


@pytest.mark.parametrize("which", [[0], [1], [2], [0, 2], [0, 1, 2]], ids=str)
async def test_planted_loss_becomes_a_gap(rig: Rig, which: list[int]) -> None:
    names = await recorded(rig, unsent=3)
    assert len(names) == 3
    for number in which:
        lose(rig, names[number])
    await started_again(rig)
    rig.check(lost_at_most=4 * len(which))
    assert {cause for cause, _ in causes(rig)} == {GapCause.CRASH}
    assert sum(seconds for _, seconds in causes(rig)) == 5 + SEGMENT_S * len(which)


async def test_planted_loss_is_a_hole_where_nobody_looks(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control."""
    monkeypatch.setattr(LostTime, "resumed", lambda *_, **__: None)
    lose(rig, (await recorded(rig, unsent=3))[0])
    await started_again(rig)
    with pytest.raises(AssertionError, match=r"hole of 2\.0 s"):
        rig.check(lost_at_most=4)


async def test_lost_position_leaves_no_hole(rig: Rig) -> None:
    """A camera's first minute: of its new file nothing may have reached the disk."""
    for name in await recorded(rig, unsent=2):
        lose(rig, name)
    (position,) = (rig.directory / "spool" / "cameras").iterdir()
    position.unlink()
    await started_again(rig)
    rig.check(lost_at_most=8)
    assert causes(rig) == [(GapCause.CRASH, 5 + 2 * SEGMENT_S)]


async def test_nothing_is_said_to_be_lost_that_waits(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCatalogue, "_add", _strict)
    await recorded(rig, unsent=3)
    await started_again(rig)
    rig.check()
    assert causes(rig) == [(GapCause.CRASH, 5.0)]


def _strict(self: FakeCatalogue, gap: object) -> None:
    known = [*self.live(), *self.gap_rows.values()]
    assert not any(one.span.overlaps(gap.span) for one in known)  # type: ignore[attr-defined]
    self.gap_rows[gap.camera_id, gap.span, gap.cause] = gap  # type: ignore[attr-defined,assignment]


async def test_database_that_is_away_at_the_start_is_asked_once_it_is_back(rig: Rig) -> None:
    """By then it knows later footage."""
    names = await recorded(rig, unsent=2)
    lose(rig, names[0])
    rig.now_ns += 5 * NS
    rig.catalogue.away = True
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        await recorder.lost_time.look()
        rig.catalogue.away = False
        await until(lambda: len(rig.catalogue.segments) == 4)
        await until(lambda: not recorder.lost_time._waiting)
        rig.stop(camera)
    rig.check(lost_at_most=4)


async def test_camera_whose_clock_was_ahead_is_not_looked_at(rig: Rig) -> None:
    await recorded(rig, unsent=0)
    rig.now_ns -= HOUR_NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
        assert not recorder.lost_time._waiting
    assert_tiled([item.span for item in rig.catalogue.live()], [])
