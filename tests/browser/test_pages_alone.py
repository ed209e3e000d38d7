"""The pages in Debian's Chromium over an API with a gym in it but no recorder: what is typed, pressed and refused."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any

from playwright.async_api import Dialog, Page, Route

from domain.ids import MemberId
from domain.time import NS, from_iso, to_iso
from storage.access import fold
from tests.browser.chromium import MARKS
from tests.browser.counter import Counter, state_purpose, wait, wait_for
from tests.integration.api.gym import SIDE

pytestmark = [*MARKS]


async def test_one_of_several_members_keeps_the_time_and_a_question_is_understood(counter: Counter) -> None:
    gym, page = counter.gym, counter.page
    other = MemberId(uuid.uuid4())
    await gym.owner.execute("INSERT INTO member VALUES ($1, 0)", other)
    await gym.owner.execute(
        "INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, '3001', 'Åke Virtanen', $2)",
        other, fold("Åke Virtanen"),
    )  # fmt: skip
    others = await gym.event("granted", gym.now_ns - 900 * NS, member=other)
    await counter.find("Virtanen last 20 minutes")
    assert len(await counter.hits()) == 2
    async with page.expect_response("**/v1/find?*"):
        await page.click("#members button:has-text('Åke')")
    assert await page.input_value("#query") == "3001 last 20 minutes"

    async def only_theirs() -> bool:
        return await counter.hits() == [f"/visit/{others}"]

    await wait(only_theirs, "the hits of the one chosen")
    said = await counter.find("Who let a second person in at the side door?")
    assert len(await counter.hits()) == 1 and "Side door" in said
    assert "not used: “who let a second person in at the door”" in said
    await counter.find("Zacharias side door")
    assert await counter.hits() == []
    async with page.expect_response("**/v1/find?*"):
        await page.click("#results button:has-text('Search without “zacharias”')")
    await page.wait_for_selector(".hit")
    assert await page.input_value("#query") == "side door"
    assert len(await counter.hits()) == 1


async def test_every_example_finds_something(counter: Counter) -> None:
    page = counter.page
    await page.wait_for_selector("#hints button")
    texts = await page.locator("#hints button").all_inner_texts()
    assert len(texts) >= 2
    for text in texts:
        async with page.expect_response("**/v1/find?*"):
            await page.click(f"#hints button:text-is('{text}')")
        await page.wait_for_selector(".hit")
        assert await page.input_value("#query") == text


async def test_what_was_typed_stays_with_its_purpose(counter: Counter) -> None:
    page = counter.page
    await counter.find("virtanen")
    hits = await counter.hits()
    assert len(hits) == 3
    async with page.expect_response("**/v1/find?*"):
        await page.reload()  # as when coming back from the player
    await page.wait_for_selector(".hit")
    assert await page.input_value("#query") == "virtanen"
    await counter.go("/purpose", "#purpose button:enabled")
    await state_purpose(page, "something else")
    assert await page.input_value("#query") == ""
    await page.wait_for_selector(".hit")
    assert len(await counter.hits()) == 4  # the latest, of everybody


async def test_single_keys_can_be_switched_off(counter: Counter) -> None:
    page = counter.page
    for switched, focused in ((None, "query"), (False, "BODY"), (True, "query")):
        if switched is not None:
            await counter.go("/account", "#change-password button:enabled")
            await page.set_checked("#shortcuts", switched)
        await counter.go("/find", "#find button:enabled")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.id || document.activeElement.tagName") == focused
        assert await page.input_value("#query") == ""


async def test_nothing_can_be_pressed_on_a_passage_that_is_not_there(counter: Counter) -> None:
    page = counter.page
    await counter.go(f"/visit/{uuid.uuid4()}", "#player[data-state=failed]")
    assert await page.inner_text("#problem") == "It does not exist, or you may not see it."
    for place in ("#stage", "#keys", "#around"):
        assert not await page.is_visible(place)
    for key in (" ", "k", "n", ".", "f", "ArrowRight"):
        await page.keyboard.press(key)


async def test_more_events_than_a_list_holds_come_as_one_moves_on(counter: Counter) -> None:
    """Events every ten seconds, five at a time."""
    page, gym = counter.page, counter.gym
    zero = gym.now_ns // NS * NS - 3600 * NS
    times = [zero + number * 10 * NS for number in range(-6, 7)]

    async def five(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        query = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
        around = from_iso(query["around"].replace("%3A", ":"))
        near = sorted(sorted(times, key=lambda at: abs(at - around))[:5])
        body["events"] = [
            {**template, "event_id": str(uuid.UUID(int=times.index(at))), "occurred": to_iso(at)} for at in near
        ]
        body["events_cut"] = True
        body["events_start"] = to_iso(near[0] - 9 * NS) if near[0] != times[0] else body["start"]
        body["events_end"] = to_iso(near[-1] + 10 * NS) if near[-1] != times[-1] else body["end"]
        await route.fulfill(response=answer, json=body)

    await page.route("**/v1/cameras/*/timeline?*", five)
    template: dict[str, Any] = {}

    async def learn(route: Route) -> None:
        answer = await route.fetch()
        template.update((await answer.json())["event"])
        await route.fulfill(response=answer)

    await page.route("**/v1/events/*", learn)
    await counter.go(f"/visit/{gym.granted}", "#player[data-state=ready]")
    assert "these are the 5 nearest to" in await page.inner_text("#events-cut")

    async def listed(number: int) -> bool:
        return await page.query_selector(f"#events li[data-event='{uuid.UUID(int=number)}']") is not None

    assert await listed(6) and not await listed(10)
    await counter.press_until("n", lambda: at_time(page, times[10]))
    assert await listed(10) and not await listed(2)
    await counter.press_until("p", lambda: at_time(page, times[1]))
    assert await listed(1) and not await listed(9)


async def test_an_answer_about_a_view_that_was_left_changes_nothing(counter: Counter) -> None:
    """The answers to one view come after those to the next; and a step where no camera sees the door is none."""
    page, gym = counter.page, counter.gym
    views: list[str] = []  # each asked for by every camera
    held: list[str] = []
    late_answers: list[str] = []
    newer = asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        if body["start"] not in views:
            views.append(body["start"])
        second = views.index(body["start"]) == 1
        body["footage"], body["gaps"] = ([] if second else [{"start": body["start"], "end": body["end"]}]), []
        if second:
            held.append(body["camera"])
            await newer.wait()  # so that the answer comes after that to the third view
        await route.fulfill(response=answer, json=body)
        if second:
            late_answers.append(body["camera"])
        elif len(views) == 3:
            newer.set()

    await page.route("**/v1/cameras/*/timeline?*", late)
    await counter.go(f"/visit/{gym.granted}", "#player[data-state=ready]")
    for count, width in ((2, 2), (3, 4)):
        for _ in range(width):
            await page.click("#zoom-out")
        await wait_for(views, count)

    async def all_late() -> bool:
        return bool(held) and len(late_answers) == len(held)

    await wait(all_late, "the late answers")
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert "No footage" not in await page.inner_text("#tiles")
    unseen = await gym.event("denied", gym.now_ns - 1700 * NS, door=SIDE)
    await gym.owner.execute("DELETE FROM door_camera WHERE door_id = $1", SIDE)
    await counter.go(f"/visit/{unseen}", "#player[data-state=ready]")
    before = await page.get_attribute("#player", "data-time-ms")
    await page.keyboard.press(".")

    async def stepped() -> bool:
        return await page.get_attribute("#player", "data-time-ms") != before

    await wait(stepped, "a step")


async def at_time(page: Page, at_ns: int) -> bool:
    shown = await page.get_attribute("#player", "data-time-ms")
    return shown is not None and abs(int(shown) - at_ns / 1e6) < 2


async def test_export_in_the_hour_that_comes_twice_is_of_the_one_shown(counter: Counter) -> None:
    page = counter.page
    asked: list[dict[str, Any]] = []
    seen: list[list[dict[str, Any]]] = []
    hours = ["00", "01"]  # a quarter past three, both times

    async def in_october(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        hour = hours[len(asked) // 2]
        body["event"]["occurred"] = f"2026-10-25T{hour}:15:00.000Z"
        for camera in body["cameras"]:
            camera.update(start=f"2026-10-25T{hour}:14:55.000Z", end=f"2026-10-25T{hour}:15:10.000Z")
        await route.fulfill(response=answer, json=body)

    async def take(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        await route.fulfill(status=503, headers={"Tallenne-Problem": "busy"}, json={})

    await page.route("**/v1/events/*", in_october)
    await page.route("**/v1/exports", take)
    for _ in hours:
        await counter.go(f"/visit/{counter.gym.granted}", "#player[data-state=ready]")
        await page.click("#export")
        assert await page.input_value("#export-start") == "2026-10-25T03:14:55"
        await page.click("#export-form button.primary")
        await page.wait_for_selector("#export-problem:not([hidden])")
        await page.fill("#export-end", "2026-10-25T03:15:20")  # changed within the hour: still the same one
        await page.click("#export-form button.primary")
        await wait_for(asked, 2 * len(seen) + 2)
        seen.append(asked[-2:])
    assert [[(each["start"], each["end"]) for each in pair] for pair in seen] == [
        [(f"2026-10-25T{hour}:14:55.000Z", f"2026-10-25T{hour}:15:{end}.000Z") for end in (10, 20)] for hour in hours
    ]


async def test_everyone_is_masked_only_where_that_is_asked_for(counter: Counter) -> None:
    page = counter.page
    asked: list[dict[str, Any]] = []

    async def take(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        await route.fulfill(status=503, headers={"Tallenne-Problem": "busy"}, json={})

    await page.route("**/v1/exports", take)
    await counter.go(f"/visit/{counter.gym.granted}", "#player[data-state=ready]")
    await page.click("#export")
    for name, width in (("desktop", 1280), ("phone", 390)):
        await page.set_viewport_size({"width": width, "height": 900})
        if folder := os.environ.get("TALLENNE_SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / f"export-masked-{name}.png")
    await page.click("#export-form button.primary")
    await wait_for(asked, 1)
    await page.check("#export-masked")
    await page.click("#export-form button.primary")
    await wait_for(asked, 2)
    assert [each["masked"] for each in asked] == [False, True]


async def test_a_sign_out_that_failed_is_said(counter: Counter) -> None:
    page = counter.page
    said: list[str] = []

    async def heard(dialog: Dialog) -> None:
        said.append(dialog.message)
        await dialog.accept()

    page.on("dialog", heard)
    await page.route("**/v1/sign-out", lambda route: route.fulfill(status=503, json={}))
    await page.click("#sign-out")

    async def told() -> bool:
        return bool(said)

    await wait(told, "the alert")
    assert page.url.endswith("/find")
    await page.unroute("**/v1/sign-out")
    await page.click("#sign-out")
    await page.wait_for_selector("#sign-in button:enabled")
    assert len(said) == 1
