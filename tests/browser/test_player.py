"""The picture shown for a time is the picture of that time, or none: the player in Chromium, over links that fail."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import MARKS, chromium
from tests.browser.player_stand import Stand, StandCamera, player_stand, site_clock
from tests.browser.strips import Turn, read_player, watch, watched
from tests.support.cameras.timed import ZERO_MS

pytestmark = [*MARKS]
VIEW_MS = 240_000
STEP_MS = 40
_PLAYS_NOTHING = "MediaSource.isTypeSupported = () => false;"
SETTLED = ("paused", "gap", "offline", "unplayable")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def steady(start_ms: int, end_ms: int, step_ms: int = STEP_MS) -> range:
    return range(start_ms, end_ms, step_ms)


def one_camera(*spans: tuple[int, int], **coded: int) -> StandCamera:
    camera = StandCamera(name="Lobby")
    for start_ms, end_ms in spans:
        camera.film(steady(start_ms, end_ms), **coded)
    return camera


@contextlib.asynccontextmanager
async def player(
    browser: Browser, stand: Stand, at_ms: float, *, playing: bool = False, script: str = ""
) -> AsyncIterator[Page]:
    """Opened at a time, with a witness of every turn; the witness is held to the rule at the end."""
    motion = "no-preference" if playing else "reduce"
    context = await browser.new_context(viewport={"width": 1366, "height": 900}, reduced_motion=motion)
    page = await context.new_page()
    await page.add_init_script(script)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(stand.play(at_ms))
    await page.wait_for_selector("#player[data-state=ready]")
    await watch(page)
    yield page
    hold_to_the_rule(stand, await watched(page), moving=playing)
    assert complaints == []
    await context.close()


def hold_to_the_rule(stand: Stand, turns: Sequence[Turn], *, moving: bool) -> None:
    """Whatever was seen was the picture of the time that was wanted; in motion, one within a quarter of a second."""
    slack_ms = 240 if moving else 1
    for turn in turns:
        if not turn.seen:
            continue
        assert turn.strip_ms is not None, turn
        wanted = turn.wanted_ms - ZERO_MS
        camera = stand.cameras[turn.number]
        around = {camera.picture_at(max(camera.shown_ms[0], wanted + off)) for off in (-slack_ms, 0, slack_ms)}
        assert min(around) <= turn.strip_ms - ZERO_MS <= max(around), turn


async def wait(look: Callable[[], Awaitable[Any]], what: str, seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.03)
    return found


async def states(page: Page) -> list[str]:
    return [shown.state for shown in (await read_player(page))[1]]


async def reach(page: Page, *wanted: str, seconds: float = 20) -> None:
    seen: list[list[str]] = []

    async def there() -> bool:
        seen[:] = [await states(page), *(await read_player(page))[:1]]
        return seen[0] == list(wanted)

    try:
        await wait(there, "", seconds)
    except AssertionError:
        raise AssertionError(f"{wanted}, but {seen}") from None


async def place(page: Page, at_ms: float, opened_ms: float) -> tuple[float, float]:
    """Where a time lies on the timeline of a player that was opened at ``opened_ms``."""
    box = await page.locator("#timeline").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (at_ms - opened_ms + VIEW_MS / 2) / VIEW_MS, box["y"] + box["height"] - 15


async def settle(page: Page, seconds: float = 10) -> float:
    """The player's time since ZERO_MS, once no camera loads."""

    async def settled() -> bool:
        return all(state in SETTLED for state in await states(page))

    # What was pressed shows from the next turn of the page on.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await wait(settled, f"settled, but {await states(page)}", seconds)
    return (await read_player(page))[0] - ZERO_MS


async def clock_of(page: Page) -> str:
    return str(await page.evaluate("document.getElementById('clock').firstChild.textContent"))


async def veil_of(page: Page) -> str:
    return await page.inner_text(".tile .veil")


async def hold_exact(page: Page, stand: Stand, now_ms: float) -> None:
    """Every camera shows the picture of the time, and the clock says when it was taken."""
    _, shown = await read_player(page)
    taken = []
    for camera, seen in zip(stand.cameras, shown, strict=True):
        assert seen.state == "paused"
        assert seen.strip_ms is not None
        taken.append(seen.strip_ms - ZERO_MS)
        assert taken[-1] in {camera.picture_at(now_ms + off) for off in (-1, 0, 1)}, (camera.name, now_ms, taken)
    assert await clock_of(page) in {site_clock(max(taken) + off) for off in (-1, 0)}


FILMS: dict[str, list[StandCamera]] = {}


def films(name: str) -> list[StandCamera]:
    """Cameras with footage of half a minute from 5 s to 35 s at least; made once."""
    if name not in FILMS:
        FILMS[name] = {"plain": plain, "b-frames": b_frames, "varying": varying, "changing": changing}[name]()
    return FILMS[name]


def plain() -> list[StandCamera]:
    second = StandCamera(name="Door")
    second.film(steady(15, 40_000, 80), number=1, gop=13)
    return [one_camera((0, 40_000), gop=50), second]


def b_frames() -> list[StandCamera]:
    return [one_camera((0, 40_000), gop=75, b_frames=2)]


def varying() -> list[StandCamera]:
    """Pictures of a camera that sends 25 a second by day and two at night, with some left out."""
    dice = random.Random(5)
    at_ms = sorted({*steady(0, 12_000), *range(12_000, 30_000, 480), *steady(30_000, 40_000)} - {400, 440, 30_040})
    camera = StandCamera(name="Yard")
    camera.film([at for at in at_ms if at % 1000 == 0 or dice.random() > 0.1], gop=40)
    return [camera]


def changing() -> list[StandCamera]:
    """The coder is set anew every ten seconds: other parameter sets, without a gap."""
    camera = StandCamera(name="Hall")
    for number, (gop, frames) in enumerate(((50, 0), (25, 2), (30, 0), (50, 1))):
        camera.film(steady(number * 10_000, (number + 1) * 10_000), gop=gop, b_frames=frames)
    return [camera]


@pytest.mark.parametrize(("name", "times"), [("plain", 30), ("b-frames", 10), ("varying", 10), ("changing", 10)])
async def test_paused_at_random_times_the_picture_is_that_of_the_time(browser: Browser, name: str, times: int) -> None:
    dice = random.Random(name)
    async with player_stand(*films(name), until_ms=60_000) as stand, player(browser, stand, 20_000) as page:
        for _ in range(times):
            await page.mouse.click(*await place(page, dice.uniform(5000, 35_000), 20_000))
            await hold_exact(page, stand, await settle(page))


async def test_playing_two_cameras_stay_in_step_and_the_clock_is_that_of_a_picture(browser: Browser) -> None:
    kept = player_stand(*films("plain"), until_ms=60_000)
    async with kept as stand, player(browser, stand, 10_000, playing=True) as page:
        await reach(page, "playing", "playing")
        await asyncio.sleep(4)
        turns = [turn for turn in await watched(page) if turn.seen]
        hold_to_the_rule(stand, turns, moving=True)
        assert len({turn.clock for turn in turns}) > 20
        for turn in turns:  # the other camera's picture may be the newer one, and another may follow before the look
            assert turn.strip_ms is not None
            assert turn.clock in {site_clock(turn.strip_ms - ZERO_MS + off) for off in range(-250, 251, 50)}, turn


async def test_steps_go_from_picture_to_picture(browser: Browser) -> None:
    async with player_stand(*films("varying"), until_ms=60_000) as stand, player(browser, stand, 11_900) as page:
        taken = stand.cameras[0].shown_ms
        await settle(page)
        number = taken.index(stand.cameras[0].picture_at(11_900))
        for key, change in ((".", 1), (".", 1), (".", 1), (",", -1), (",", -1), (",", -1), (",", -1)):
            number += change
            await page.keyboard.press(key)

            async def stepped(at_ms: int = taken[number]) -> bool:
                return (await read_player(page))[1][0].strip_ms == ZERO_MS + at_ms

            await wait(stepped, f"the picture of {taken[number]}")
            await settle(page)


async def test_dragging_never_leaves_the_picture_of_an_earlier_place(browser: Browser) -> None:
    dice = random.Random(4)
    async with player_stand(*films("plain"), until_ms=60_000) as stand, player(browser, stand, 20_000) as page:
        await page.mouse.move(*await place(page, 6000, 20_000))
        await page.mouse.down()
        for _ in range(60):
            await page.mouse.move(*await place(page, dice.uniform(5000, 35_000), 20_000))
            await asyncio.sleep(dice.choice((0, 0.02, 0.2)))
        await page.mouse.up()
        await hold_exact(page, stand, await settle(page))
        assert sum(turn.seen for turn in await watched(page)) > 10  # dragging shows pictures


async def test_gap_says_its_cause_and_the_picture_before_it_can_be_seen(browser: Browser) -> None:
    camera = one_camera((0, 20_000), (24_000, 40_000), gop=50, b_frames=2)
    camera.causes[20_000] = "crash"
    async with player_stand(camera, until_ms=60_000) as stand, player(browser, stand, 30_000) as page:
        await hold_exact(page, stand, await settle(page))
        await page.mouse.click(*await place(page, 22_000, 30_000))
        await reach(page, "gap")
        assert await veil_of(page) == "No footage\nThe recorder crashed"
        assert await clock_of(page) == "—"
        # What comes after the gap is in the buffer, and a decoder keeps the last pictures before it back.
        await page.mouse.click(*await place(page, 19_900, 30_000))
        now_ms = await settle(page)
        await hold_exact(page, stand, now_ms)
        while stand.cameras[0].picture_at(now_ms) < 19_960:
            await page.keyboard.press(".")
            await asyncio.sleep(0.05)
            now_ms = await settle(page)
            await hold_exact(page, stand, now_ms)


async def test_playing_leads_through_a_gap(browser: Browser) -> None:
    camera = one_camera((0, 20_000), (22_000, 40_000), gop=50)
    async with player_stand(camera, until_ms=60_000) as stand, player(browser, stand, 18_000, playing=True) as page:
        await reach(page, "playing")
        await reach(page, "gap")
        await reach(page, "playing")
        await asyncio.sleep(1)
        assert (await states(page)) == ["playing"]


async def test_slow_link_shows_nothing_rather_than_an_old_picture(browser: Browser) -> None:
    camera = one_camera((0, 40_000), gop=50)
    async with player_stand(camera, until_ms=60_000) as stand:
        camera.bytes_per_s = 0.6 * camera.shelf.segments[0].size_bytes / 2.0  # of what it would take
        async with player(browser, stand, 10_000, playing=True) as page:
            await asyncio.sleep(6)
            turns = await watched(page)
            hold_to_the_rule(stand, turns, moving=True)
            assert {"loading", "playing"} <= {turn.state for turn in turns}
            await page.mouse.click(*await place(page, 30_000, 10_000))
            await asyncio.sleep(0.05)
            assert (await states(page)) == ["loading"]
            assert await veil_of(page) == "Loading …"
            assert await clock_of(page) == "—"


async def test_camera_behind_another_is_waited_for_and_then_blanked(browser: Browser) -> None:
    fast, slow = one_camera((0, 40_000), gop=50), one_camera((0, 40_000), gop=50)
    async with player_stand(fast, slow, until_ms=60_000) as stand:
        slow.bytes_per_s = 700
        async with player(browser, stand, 10_000, playing=True) as page:
            await reach(page, "playing", "loading")
            before = (await read_player(page))[0]
            await asyncio.sleep(2)
            assert (await read_player(page))[0] == before  # both wait

            async def goes_on() -> bool:
                return (await read_player(page))[0] > before + 1500

            await wait(goes_on, "the time goes on without the slow camera")
            assert await states(page) == ["playing", "loading"]
            slow.bytes_per_s = None
            await reach(page, "playing", "playing")


@pytest.mark.parametrize("fault", ["cut", "away", "offline"])
async def test_server_that_is_gone_is_said_and_comes_back_by_itself(browser: Browser, fault: str) -> None:
    camera = one_camera((0, 40_000), gop=50)
    async with player_stand(camera, until_ms=60_000) as stand, player(browser, stand, 5000) as page:
        await settle(page)
        if fault == "cut":
            camera.cut_after = 0
        elif fault == "away":
            camera.status = 503
        else:
            await page.context.set_offline(True)
        await page.mouse.click(*await place(page, 30_000, 5000))
        await reach(page, "offline")
        said = "A part of Tallenne is unavailable" if fault == "away" else "Tallenne does not answer."
        assert await veil_of(page) == f"{said}\nTrying again …"
        assert await clock_of(page) == "—"
        camera.cut_after, camera.status = None, 200
        await page.context.set_offline(False)
        await hold_exact(page, stand, await settle_again(page))


async def settle_again(page: Page) -> float:
    await reach(page, "paused")
    return await settle(page)


async def test_timeline_that_is_away_is_asked_for_again(browser: Browser) -> None:
    camera = one_camera((0, 40_000), gop=50)
    async with player_stand(camera, until_ms=60_000) as stand:
        stand.timeline_status = 503
        page = await browser.new_page(reduced_motion="reduce")
        await page.goto(stand.play(5000))
        await page.wait_for_selector("#problem:not([hidden])")
        assert await states(page) == ["blank"]
        stand.timeline_status = 200
        await page.wait_for_selector("#player[data-state=ready]")
        await hold_exact(page, stand, await settle(page))
        assert not await page.is_visible("#problem")


async def test_format_that_the_browser_lacks_is_said_without_loading(browser: Browser) -> None:
    """Not even H.264: what a server could convert is of no use either."""
    camera = one_camera((0, 10_000))
    async with (
        player_stand(camera, until_ms=60_000) as stand,
        player(browser, stand, 5000, script=_PLAYS_NOTHING) as page,
    ):
        await reach(page, "unplayable")
        assert await page.inner_text(".tile") == "This browser cannot show this camera's format.\nLobby"
        assert await clock_of(page) == "—"


async def test_footage_that_is_on_its_way_comes_by_itself(browser: Browser) -> None:
    camera = one_camera((0, 20_000), gop=50)
    camera.causes[20_000] = "pending"
    async with player_stand(camera, until_ms=25_000) as stand, player(browser, stand, 22_000) as page:
        await reach(page, "gap")
        assert "Footage is on its way" in await veil_of(page)
        camera.film(steady(20_000, 30_000), gop=50)
        stand.until_ms = 30_000
        await hold_exact(page, stand, await settle_again(page))
        looks = stand.looks
        await asyncio.sleep(2)
        assert stand.looks == looks
