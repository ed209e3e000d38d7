"""From sign-in to the audit page, in Debian's Chromium, over a real gym: what the pictures say is what is held to."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from asyncio.subprocess import DEVNULL
from functools import partial
from pathlib import Path

import av
import psutil
import pytest
from playwright.async_api import Page

from demo.video import strip
from pipeline.smoke.lateness import Lateness
from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk
from tests.browser.steps import REASON, ask_for_export, open_passage, reach, wait
from tests.browser.strips import read_player

IN_STEP_MS = 200  # paused; while playing a busy machine shows each picture late
pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


WATCH_STATES = """
window.statesSeen = [...document.querySelectorAll(".tile")].map((tile) => {
  const seen = [];
  new MutationObserver(() => seen.push(tile.dataset.state)).observe(tile, { attributeFilter: ["data-state"] });
  return seen;
});
"""
"""A state may last for a second only, and a look from here take longer on a busy machine."""


async def hold_in_step(page: Page) -> float:
    """The largest difference in ms between what the pictures say, the videos' own times and the player's."""
    now, shown = await read_player(page)
    assert len(shown) == 2
    worst = 0.0
    for camera in shown:
        assert camera.strip_ms is not None, f"no readable strip ({camera.state})"
        worst = max(worst, abs(camera.strip_ms - now), abs(camera.expected_ms - camera.strip_ms))
    first, second = (camera.strip_ms for camera in shown)
    assert first is not None
    assert second is not None
    return max(worst, abs(first - second))


async def test_member_found_by_name_and_played_in_step(desk: Desk, late: Lateness) -> None:
    page = await desk.page()
    await page.goto(f"{desk.address}/find")
    await page.wait_for_selector("#find button:enabled")
    await page.wait_for_selector("#query:focus")  # by itself, a moment after the page is ready on a busy machine
    await page.keyboard.type(desk.passage["name"])
    await page.keyboard.press("Enter")
    hit = await page.wait_for_selector(f"a.hit[href='/visit/{desk.passage['event_id']}']")
    assert hit is not None
    assert desk.passage["name"] in await hit.inner_text()
    assert desk.passage["name"].split()[0] not in page.url
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("document.activeElement.matches('a.hit')")
    await hit.click()
    await page.wait_for_selector("#player[data-state=ready]")
    assert desk.passage["name"] in await page.inner_text("#headline")
    await reach(page, "playing")
    before = {camera.camera: camera for camera in (await read_player(page))[1]}

    async def both_went_on() -> bool:
        cameras = (await read_player(page))[1]
        return all(not one.paused and one.current_s > before[one.camera].current_s + 1 for one in cameras)

    await wait(both_went_on, "a second of playing")
    worst = []
    for _ in range(6):
        worst.append(await hold_in_step(page))
        await asyncio.sleep(0.25)
    assert max(worst) <= late.limit_ms(IN_STEP_MS), worst
    await page.keyboard.press("k")
    await reach(page, "paused")
    paused = await hold_in_step(page)
    assert paused <= IN_STEP_MS
    print(f"in step: playing {max(worst):.0f} ms at worst, paused {paused:.0f} ms")
    for key, change in ((".", 1), (",", -1)):
        at = (await read_player(page))[0]
        await page.keyboard.press(key)
        moved = await wait(partial(moved_from, page, at), f"a step by {key}")
        await reach(page, "paused")
        assert 20 < change * moved < 250, (key, moved)
        assert await hold_in_step(page) <= IN_STEP_MS
    await page.context.close()


async def moved_from(page: Page, at: int) -> int:
    return (await read_player(page))[0] - at


async def test_scrub_across_a_gap_and_play_on_behind_it(desk: Desk, late: Lateness) -> None:
    page = await desk.page()
    await open_passage(desk, page)
    gap_ms = (desk.gap.start_ns / 1e6, desk.gap.end_ns / 1e6)
    assert "crashed" in await page.inner_text("#missing")
    place = await page.evaluate("(() => { const r = document.getElementById('timeline').getBoundingClientRect(); "
                                "return [r.left, r.top + r.height / 2, r.width]; })()")  # fmt: skip
    centre = from_iso_ms(desk)

    def x(at_ms: float) -> float:
        return float(place[0] + (at_ms - (centre - 120_000)) / 240_000 * place[2])

    await page.mouse.move(x(gap_ms[0] - 4000), place[1])
    await page.mouse.down()
    await reach(page, "playing")
    await page.mouse.move(x(sum(gap_ms) / 2), place[1], steps=3)
    await reach(page, "gap")
    assert "No footage" in await page.inner_text(".tile .veil")
    assert "crashed" in await page.inner_text(".tile .veil")
    now = (await read_player(page))[0]
    assert gap_ms[0] < now < gap_ms[1]
    await page.mouse.move(x(gap_ms[1] + 4000), place[1], steps=3)
    await page.mouse.up()
    await reach(page, "playing")
    await asyncio.sleep(1.5)
    assert await hold_in_step(page) <= late.limit_ms(IN_STEP_MS)
    assert (await read_player(page))[0] > gap_ms[1]
    # And by itself: playing from just before the gap leads through it. All of it: its end may pass while footage loads.
    await page.evaluate(WATCH_STATES)
    await page.mouse.click(x(gap_ms[0] - 1500), place[1])
    seen: list[list[str]] = []

    async def both_led_through() -> bool:
        seen[:] = await page.evaluate("window.statesSeen")
        return all("gap" in one and one[-1] == "playing" for one in seen)

    try:
        await wait(both_led_through, "both cameras led through the gap", 150)
    except AssertionError as exc:
        raise AssertionError(f"{seen}, now {await read_player(page)}, gap {gap_ms}") from exc
    await asyncio.sleep(1.5)
    assert await hold_in_step(page) <= late.limit_ms(IN_STEP_MS)
    await page.context.close()


def from_iso_ms(desk: Desk) -> float:
    return float(desk.passage["occurred_ns"] / 1e6)


async def test_exported_file_decodes_and_says_when(desk: Desk, tmp_path: Path) -> None:
    page = await desk.page(accept_downloads=True)
    await ask_for_export(desk, page)
    await page.goto(f"{desk.address}/exports")
    await page.wait_for_selector("#exports li[data-state=approval]")
    assert await page.locator("#exports button").all_inner_texts() == ["Cancel the request"]
    assert await page.query_selector("#exports a.button") is None  # nobody approves their own
    await desk.approve_exports()
    await page.wait_for_selector("#exports li[data-state=approved]")  # by itself
    async with page.expect_download() as started:
        await page.click("#exports li[data-state=approved] button")
    download = await started.value
    await page.wait_for_selector("#exports li[data-state=ready] button")
    assert download.suggested_filename.endswith(".zip")
    await download.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        archive.extractall(tmp_path)
        names = [name for name in archive.namelist() if name.endswith(".mp4")]
    assert len(names) == 2
    # By nothing of ours but the script in it; and by its own words when something is changed.
    for change, code in ((b"", 0), (b"x", 1)):
        with (tmp_path / names[0]).open("ab") as file:
            file.write(change)
        command = [sys.executable, "-I", "verify.py"]
        done = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=DEVNULL, stderr=DEVNULL)
        assert await done.wait() == code
    times = await asyncio.to_thread(strip_times, tmp_path / names[1])
    first, last = times[0], times[-1]
    occurred_ms = from_iso_ms(desk)
    assert first < occurred_ms - 4_500
    assert last > occurred_ms + 9_500
    assert len(times) > 12.5 * 14
    assert times == sorted(times)
    await plays_in_the_browser(page, tmp_path / names[1])
    await page.goto(f"{desk.address}/exports")
    await page.wait_for_selector("#exports li[data-state=ready]")
    await page.context.close()


async def plays_in_the_browser(page: Page, path: Path) -> None:
    """The file by itself, from the disk."""
    alone = await page.context.new_page()
    await alone.goto(path.as_uri())

    async def plays() -> bool:
        found: bool = await alone.evaluate("document.querySelector('video').currentTime > 1")
        return found

    await wait(plays, "the file plays")
    await alone.close()


def strip_times(path: Path) -> list[int]:
    """Every picture decoded and read; each says when it was made."""
    with av.open(io.BytesIO(path.read_bytes()), format="mp4") as container:
        found = [strip.read(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    assert None not in found
    return [each[0] for each in found if each is not None]


async def open_sittings(page: Page) -> None:
    while await page.locator("#entries [aria-expanded=false]").count():
        await page.locator("#entries [aria-expanded=false]").first.click()


async def test_audit_page_shows_it_all(desk: Desk) -> None:
    page = await desk.page()
    await page.goto(f"{desk.address}/audit")
    await page.wait_for_selector("#entries tr.sitting")
    sittings = await page.locator("#entries tr").count()
    await open_sittings(page)
    assert await page.locator("#entries tr").count() > 4 * sittings  # one row for each sitting, entries on request
    text = await page.inner_text("#entries")
    for action in ("Signed in", "Stated a purpose", "Searched", "Opened a passage", "Opened a timeline", "Watched",
                   "Exported", "Requested an export", "Approved an export", "Downloaded an export"):  # fmt: skip
        assert action in text, action
    assert REASON in text
    assert f"member {desk.passage['number']}" in text
    assert desk.passage["name"] not in text
    exported = await desk.owner.fetch(
        "SELECT DISTINCT c.name FROM camera c JOIN footage_export e ON c.camera_id = ANY (e.camera_ids)"
    )
    assert len(exported) == 2
    for row in await page.locator("#entries tr:not(.sitting)").all_inner_texts():
        if "Requested an export" in row:
            assert all(each["name"] in row for each in exported), row
        if "Approved an export" in row:
            assert "requested by Demo" in row, row
        if "Added to staff" in row:
            assert "Exporter (everywhere)" in row, row
    assert "Added to staff" in text
    await page.select_option("#action", "export")
    await page.click("#filters button")

    async def filtered() -> bool:
        await open_sittings(page)
        rows = await page.locator("#entries tr:not(.sitting)").all_inner_texts()
        return len(rows) == 2 and all("Exported" in row and "Demo" in row for row in rows)

    await wait(filtered, "the export of both cameras")
    async with page.expect_download() as coming:
        await page.click("#table")
    saved = (await (await coming.value).path()).read_text()
    assert len(saved.splitlines()) == 3 and all(each["name"] in saved for each in exported)
    rows = await desk.owner.fetch("SELECT action, start_ns, end_ns FROM audit_entry WHERE action IN ('look', 'export')")
    assert {row["action"] for row in rows} == {"look", "export"}
    assert all(row["end_ns"] > row["start_ns"] for row in rows)
    await page.context.close()


async def test_secrets_are_in_no_log_and_no_process_list(desk: Desk) -> None:
    """After all of the above. Control: the address, which is no secret, is found in the same places."""
    installation = desk.everything.installation
    secrets = {}
    for path in installation.secrets.iterdir():
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        secrets[path.name] = json.loads(text)["secret"] if text.startswith("{") else text
    assert {"demo-staff.secret", "demo-colleague-totp.secret"} <= set(secrets)
    assert all(len(each) >= 16 for each in secrets.values()), secrets.keys()
    logs = "".join(path.read_text(errors="replace") for path in installation.logs.rglob("*") if path.is_file())
    arguments = "\n".join(map(arguments_of, psutil.process_iter()))
    for place, text in (("logs", logs), ("arguments", arguments)):
        assert [name for name, each in secrets.items() if each in text] == [], place
    assert desk.address in logs
    assert str(installation.root) in arguments


def arguments_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has ended meanwhile


async def test_what_the_browser_cannot_play_is_converted_by_confined_roles_and_in_step(desk: Desk) -> None:
    """As if it had no H.265, and this were H.265: all that it says it plays is what is made for such browsers."""
    page = await desk.page()
    await page.add_init_script("MediaSource.isTypeSupported = (type) => type === 'video/mp4; codecs=\"avc1.42c02a\"';")
    await open_passage(desk, page)
    assert [await each.is_visible() for each in await page.query_selector_all(".tile .converted")] == [True, True]
    await page.keyboard.press("k")
    await reach(page, "paused")
    assert await hold_in_step(page) <= IN_STEP_MS
    at = (await read_player(page))[0]
    await page.keyboard.press(".")
    assert 20 < await wait(partial(moved_from, page, at), "a step") < 250
    await reach(page, "paused")
    assert await hold_in_step(page) <= IN_STEP_MS
    await page.context.close()
