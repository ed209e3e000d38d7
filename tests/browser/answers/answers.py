"""What the API might answer, made up: a page shows it without a server, a database or a recorder."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Page, Route
from starlette.requests import Request

from api.pages.rendering import DIRECTORY, page
from storage.catalogue.audit import ACTIONS

ORIGIN: Final = "http://pages.test"
ZONE: Final = "Europe/Helsinki"
LONG: Final = "Entrance hall, by the door of the women's changing room"
_KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}
_PICTURE: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180"><path d="M0 0h320v180H0"/></svg>'
_NAV: Final = ("find", "live", "exports", "cases", "erasures", "cameras", "members", "users", "quarantine", "audit")


def number(value: int) -> str:
    """An id."""
    return str(uuid.UUID(int=value))


SITE, MEMBER = number(1), number(3)
PAGES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "/audit": ("audit.html", {"actions": ACTIONS}),
    "/cameras": ("cameras.html", {}),
    f"/members/{MEMBER}": ("member.html", {"member_id": MEMBER, "register": True}),
}


def entry(seq: int, at: str, action: str, *, session: int | None = None, **changes: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("member_id", "member_number", "camera_id", "camera", "start", "end", "purpose", "reason"))
    who = {"actor": f"staff:{session}", "name": "Anna Koskinen"} if session else {"actor": "operator", "name": None}
    known = {"seq": seq, "at": at, "action": action, "session": session and number(session), "detail": {}}
    return blank | who | known | changes


def camera(camera_id: int, name: str, *, state: str = "recording", removed: bool = False) -> dict[str, Any]:
    ill = "" if state == "recording" else "The camera cannot be reached."
    health = {"state": state, "frames_per_s": 25, "bits_per_s": 4e6, "lag_s": 2, "last_error": ill, "remedy": ""}
    return {
        "camera_id": number(camera_id), "site_id": SITE, "name": name, "retention_s": 259_200, "removed": removed,
        "health": None if removed else health, "health_updated": "2026-11-30T18:00:00Z",
    }  # fmt: skip


def hit(event: int, at: str, *kinds: str, close_upon_s: float | None = None) -> dict[str, Any]:
    seen = {"camera_id": number(10), "name": LONG, "segments": 2, "coming": False, "thumbnail": "/thumbnail.jpg"}
    return {
        "event_id": number(event), "site_id": SITE, "site": "North", "time_zone": ZONE, "door": "Main door",
        "kind": kinds[0], "kinds": kinds, "occurred": at, "uncertain": False, "close_upon_s": close_upon_s,
        "member": {"member_id": MEMBER, "number": "1042", "name": "Aino Virtanen", "minor": True},
        "cameras": [seen],
    }  # fmt: skip


def visit(start: str, end: str | None) -> dict[str, Any]:
    return {"site_id": SITE, "site": "North", "time_zone": ZONE, "start": start, "end": end}


_WHY: Final = {"purpose": "incident", "reason": "two persons on one card, main door"}
ANSWERS: Final[dict[str, Any]] = {
    "/v1/audit": {
        "entries": [
            *(
                entry(90 - each, f"2026-11-30T18:{59 - each}:04Z", ("look", "find")[each % 2], session=7, camera="Hall",
                      member_id=MEMBER, **_WHY)
                for each in range(40)
            ),
            entry(40, "2026-11-30T17:01:04Z", "verify"),
            entry(39, "2026-11-30T17:00:04Z", "look", session=8, camera=LONG, **_WHY),
        ],
        "names": {},
        "next": None,
    },
    "/v1/audit/choices": {
        "people": [{"value": "staff:7", "name": "Anna Koskinen"}],
        "cameras": [{"value": number(10), "name": LONG}],
    },
    "/v1/sites": [{"site_id": SITE, "name": "North", "time_zone": ZONE}],
    "/v1/cameras": [
        camera(10, "Hall 10"), camera(11, "Hall 9"), camera(12, LONG), camera(13, "Lobby", removed=True),
        camera(14, "Hall 11", state="unreachable"),
    ],
    "/v1/doors": [],
    "/v1/health/parts": {"now": "2026-11-30T18:00:10Z", "parts": {}, "roles": None},
    "/v1/find": {
        "members": [{"member_id": MEMBER, "number": "1042", "name": "Aino Virtanen", "minor": True}],
        "hits": [
            hit(100, "2026-11-30T18:31:00Z", "exit"),
            hit(101, "2026-11-30T17:01:00Z", "granted", "entered", close_upon_s=4.2),
            hit(102, "2026-11-30T16:59:00Z", "denied"),
            hit(103, "2026-11-28T08:31:00Z", "exit"),
            hit(104, "2026-11-28T07:02:00Z", "granted", "entered"),
        ],
        "next": None,
    },
    f"/v1/members/{MEMBER}/visits": [
        visit("2026-11-28T07:02:00Z", "2026-11-28T08:31:00Z"),
        visit("2026-11-30T17:01:00Z", None),
    ],
}  # fmt: skip


async def answer_all(shown: Page, language: str) -> None:
    """Serve pages, their files and the answers above at ORIGIN."""

    async def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.endswith("thumbnail.jpg"):
            await route.fulfill(body=_PICTURE, content_type="image/svg+xml")
        elif path.startswith("/static/"):
            file = DIRECTORY / path[1:]
            await route.fulfill(body=file.read_bytes(), content_type=_KINDS.get(file.suffix, "font/woff2"))
        elif path in ANSWERS:
            await route.fulfill(json=ANSWERS[path])
        elif path in PAGES:
            await route.fulfill(body=_rendered(path, language), content_type="text/html")
        else:
            await route.fulfill(status=404, json={})

    await shown.route(f"{ORIGIN}/**", serve)


def _rendered(path: str, language: str) -> bytes:
    template, context = PAGES[path]
    headers = [(b"accept-language", language.encode())]
    request = Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers})
    frame = {
        "session": SimpleNamespace(csrf_token="none", display_name="Anna Koskinen"),
        "purpose": SimpleNamespace(purpose_id=uuid.UUID(int=1), category="incident", reason="a test"),
        "nav": _NAV, "may": frozenset(_NAV), "here": path[1:], "zone": ZONE,
    }  # fmt: skip
    return bytes(page(request, template, default_language="en", **frame, **context).body)
