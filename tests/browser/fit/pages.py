"""Every page that the product has, each as a person has it in front of them: the demo gym's, with something on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import Page

from tests.browser.demo_desk import Desk
from tests.browser.steps import ask_for_export, reach

PAGES: Final = (
    # Template, path, selector of an element that appears once the page is ready.
    ("sign_in", "/sign-in", "#sign-in button:enabled"),
    ("purpose", "/purpose", "#purpose button:enabled"),
    ("find", "/find", "#find button:enabled"),
    ("player", "/visit/{event}", "#player[data-state=ready]"),
    ("member", "/members/{member}", "a.hit"),
    ("live", "/live", ".tile:nth-child(2)[data-state=playing]"),
    ("exports", "/exports", "#exports li"),
    ("export", "/exports/{export}", "#asked:not([hidden])"),
    ("cases", "/cases", "#cases li"),
    ("case", "/cases/{case}", "#case:not([hidden]) h1"),
    ("erasures", "/erasures", "#none:not([hidden])"),
    ("cameras", "/cameras", "#sites li"),
    ("members", "/members", "#find button:enabled"),
    ("register", "/register/{member}", "#card:not([hidden]) h1"),
    ("requests", "/requests", "#requests li"),
    ("request", "/requests/{request}", "#request:not([hidden]) h1"),
    ("copy", "/requests/{request}/copy", "#copy:not([hidden]) h2"),
    ("register_rights", "/register-rights", "#rows tr"),
    ("users", "/users", "#users li"),
    ("quarantine", "/quarantine", "#empty:not([hidden]), #messages tr"),
    ("retention", "/retention", "#cameras tr"),
    ("account", "/account", "#change-password button:enabled"),
    ("audit", "/audit", "#entries tr"),
    ("error", "/nothing", "h1"),
)


async def ids(desk: Desk, page: Page) -> dict[str, str]:
    """What the paths name; an export and a case are made where there is none."""
    if not await desk.owner.fetchval("SELECT count(*) FROM footage_export"):
        await ask_for_export(desk, page)
    if not await desk.owner.fetchval("SELECT count(*) FROM case_file"):
        await page.goto(f"{desk.address}/cases")
        await page.click("#add")
        await page.fill("#title", "Kaatuminen aulassa")
        await page.fill("#reason", "The insurer asks for it.")
        await page.click("#case button[type=submit]")
        await page.wait_for_selector("#case:not([hidden]) h1")
    if not await desk.owner.fetchval("SELECT count(*) FROM member_request"):
        await desk.owner.execute(
            "INSERT INTO member_request (request_id, member_id, kind, channel, state, received_ns, due_ns, identity,"
            " identity_ns) VALUES (gen_random_uuid(), $1, 'access', 'letter', 'checked', 0, now_ns(), 'passport', 1)",
            desk.passage["member_id"],
        )
    return {
        "request": str(await desk.owner.fetchval("SELECT request_id FROM member_request LIMIT 1")),
        "event": str(desk.passage["event_id"]),
        "member": str(desk.passage["member_id"]),
        "export": str(await desk.owner.fetchval("SELECT export_id FROM footage_export LIMIT 1")),
        "case": str(await desk.owner.fetchval("SELECT case_id FROM case_file LIMIT 1")),
    }


async def show(desk: Desk, page: Page, name: str, path: str, ready: str) -> None:
    """Go there, and do what fills the page."""
    await page.goto(f"{desk.address}{path}")
    await page.wait_for_selector(ready)
    if name in _FILLED:
        await _FILLED[name](desk, page)
    if name != "live":  # its answer goes on
        await page.wait_for_load_state("networkidle")


async def _player(desk: Desk, page: Page) -> None:
    await reach(page, "playing")
    await page.keyboard.press("k")
    await reach(page, "paused")


async def _find(desk: Desk, page: Page) -> None:
    await page.fill("#query", desk.passage["name"])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("a.hit")


async def _members(desk: Desk, page: Page) -> None:
    await page.fill("#query", desk.passage["number"])
    await page.keyboard.press("Enter")
    await page.click("#members button")
    await page.wait_for_selector("#look-rows tr")


async def _users(desk: Desk, page: Page) -> None:
    await page.click("details summary")


async def _cameras(desk: Desk, page: Page) -> None:
    await page.click("#sites .buttons button")
    await page.wait_for_selector(".test-picture img")


_FILLED: Final[dict[str, Callable[[Desk, Page], Awaitable[None]]]] = {
    "player": _player,
    "find": _find,
    "members": _members,
    "users": _users,
    "cameras": _cameras,
}
