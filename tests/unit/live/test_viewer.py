"""A viewer's queue: bounded, whole groups only, and never a picture whose references were left out."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from live.protocol import Picture, Stream
from live.viewer import REPLAY_TICKS, Viewer, condensed, reorder_depth

STREAM = Stream(codec="h264", mime="", init=b"", sets=())


def picture(number: int, *, key: bool = False, size: int = 1) -> Picture:
    return Picture(data=bytes(size), pts_ticks=number * 3600, mono_ns=0, key=key)


async def taken(viewer: Viewer, count: int) -> list[object]:
    async with asyncio.timeout(1):
        return [await viewer.next() for _ in range(count)]


async def test_items_come_in_order_and_waiting_ends_with_the_next() -> None:
    viewer = Viewer()
    task = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    viewer.push(STREAM)
    assert await task is STREAM
    viewer.push(picture(0, key=True))
    viewer.push(None)
    assert await taken(viewer, 2) == [picture(0, key=True), None]


async def test_after_a_stop_only_a_key_frame_goes_on() -> None:
    viewer = Viewer()
    for item in (picture(0), picture(1, key=True), None, picture(2), picture(3, key=True)):
        viewer.push(item)
    assert await taken(viewer, 3) == [picture(1, key=True), None, picture(3, key=True)]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.booleans()), max_size=60))
def test_what_is_taken_is_whole_up_to_each_gap(steps: list[tuple[bool, int, bool]]) -> None:
    """Against a model: a picture is kept if it is a key frame that fits, or follows one that was kept, and fits."""

    async def run() -> None:
        viewer, kept, waiting, going, dropped, begun = Viewer(100), [], 0, False, 0, False
        for number, (key, size, take) in enumerate(steps):
            if take and kept:
                one = kept.pop(0)
                assert await viewer.next() == one
                waiting -= len(one.data)
            one = picture(number, key=key, size=size)
            going = waiting + size <= 100 and (going or key)
            if going:
                kept.append(one)
                waiting += size
                begun = True
            dropped += begun and not going
            viewer.push(one)
            assert waiting <= 100
        assert await taken(viewer, len(kept)) == kept
        assert viewer.dropped == dropped

    asyncio.run(run())


def test_a_condensed_group_ends_where_it_ended_and_keeps_its_order() -> None:
    assert condensed([]) == []
    group = [picture(n, key=n == 0) for n in (0, 3, 1, 2, 6)]
    made = condensed(group)
    assert max(one.pts_ticks for one in made) == 6 * 3600
    assert sorted(made, key=lambda one: one.pts_ticks) == [made[at] for at in (0, 2, 3, 1, 4)]
    assert max(one.pts_ticks for one in made) - min(one.pts_ticks for one in made) == 4 * REPLAY_TICKS


def test_the_depth_of_reordering() -> None:
    assert reorder_depth([]) == 0
    assert reorder_depth([picture(n) for n in range(300)]) == 0
    assert reorder_depth([picture(n) for n in (0, 2, 1, 4, 3)]) == 1
    assert reorder_depth([picture(n) for n in (0, 4, 2, 1, 3)]) == 2
