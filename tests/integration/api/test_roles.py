"""Every route x role against one written table: no allow that is not in it."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.credentials.accounts import NewGrant
from domain.time import DAY_NS, NS, to_iso
from tests.integration.api.conftest import PASSWORD, Office
from tests.integration.api.gym import CORRIDOR, FRONT, LOBBY, NORTH, SOUTH, open_gym

pytestmark = pytest.mark.services

SPAN = "start=2026-11-22T06:00:00Z&end=2026-11-22T07:00:00Z"
NOBODY = {"": False, "none": False, "viewer": False, "exporter": False, "admin": False, "auditor": False}
EVERYBODY = dict.fromkeys(NOBODY, True)
STAFF = EVERYBODY | {"": False}
LOOK = NOBODY | {"viewer": True, "exporter": True}
INVENTORY = LOOK | {"admin": True}
EXPORT = NOBODY | {"exporter": True}
APPROVE = NOBODY | {"exporter": True, "admin": True}
ADMIN = NOBODY | {"admin": True}
STAFF_BODY = {"user_name": "new.one", "display_name": "New", "password": PASSWORD, "grants": []}
PART = {"Range": "bytes=0-"}  # a clip is given in parts only
NOON = "2026-11-22T12:00:00Z"
NONE = "00000000-0000-4000-8000-000000000000"
CASE_BODY = {"title": "x", "reason": "y", "review": to_iso(time.time_ns() + 30 * DAY_NS)}
EXPORT_BODY = {"camera_ids": [str(LOBBY)], "start": "{just}", "end": "{now}"}
ERASURE_BODY = {"reason": "x", "camera_ids": [NONE], "start": "{just}", "end": "{now}"}
RECIPIENT_BODY = {"kind": "insurer", "name": "x", "what": "y", "why": "z", "basis": "contract"}
CONSENT_BODY = {"purpose": "x", "how": "desk"}
RIGHTS_BODY = {"rights": {"admin": {"name": "change", "phone": "change", "consents": "change"}}}
AUDIT = NOBODY | {"admin": True, "auditor": True}


def filled(body: Any, now_ns: int, aino: str = NONE) -> Any:
    """With a time whose footage may still come: without any, an export is refused to everybody."""
    times = {"{just}": to_iso(now_ns - 60 * NS), "{now}": to_iso(now_ns), "{aino}": aino}
    return {key: times.get(str(value), value) for key, value in body.items()} if body else body


# (method, route): (address, body, who may). "": not signed in; "none": signed in without any role.
TABLE = {
    ("POST", "/v1/sign-in"): ("/v1/sign-in", {"user_name": "x", "password": "x", "code": "x"}, NOBODY),
    ("POST", "/v1/sign-out"): ("/v1/sign-out", {}, STAFF),
    ("POST", "/v1/step-up"): ("/v1/step-up", {"code": "000000"}, NOBODY),
    ("GET", "/v1/session"): ("/v1/session", None, STAFF),
    ("POST", "/v1/purposes"): ("/v1/purposes", {"category": "safety", "reason": "a test"}, INVENTORY),
    ("GET", "/v1/find"): ("/v1/find?query=aino", None, LOOK),
    ("GET", "/v1/find/examples"): ("/v1/find/examples?query=06:31", None, LOOK),
    ("GET", "/v1/find/today"): ("/v1/find/today", None, LOOK),
    ("GET", "/v1/members"): ("/v1/members?query=aino", None, INVENTORY),
    ("GET", "/v1/members/{member_id}/visits"): (f"/v1/members/{{aino}}/visits?{SPAN}", None, LOOK),
    ("GET", "/v1/events"): (f"/v1/events?{SPAN}", None, LOOK),
    ("GET", "/v1/events/{event_id}"): ("/v1/events/{granted}", None, LOOK),
    ("GET", "/v1/events/{event_id}/beside"): ("/v1/events/{granted}/beside?same=door&later=true", None, LOOK),
    ("GET", "/v1/sites"): ("/v1/sites", None, INVENTORY),
    ("GET", "/v1/cameras"): ("/v1/cameras", None, INVENTORY),
    ("GET", "/v1/doors"): ("/v1/doors", None, INVENTORY),
    ("GET", "/v1/cameras/{camera_id}/timeline"): (f"/v1/cameras/{LOBBY}/timeline?{SPAN}", None, LOOK),
    ("GET", "/v1/cameras/{camera_id}/days"): (f"/v1/cameras/{LOBBY}/days?month=2026-11", None, LOOK),
    # Nobody gets a clip of a span without footage; who may look is told so.
    ("GET", "/v1/cameras/{camera_id}/clip.mp4"): (f"/v1/cameras/{LOBBY}/clip.mp4?{SPAN}", None, NOBODY),
    ("HEAD", "/v1/cameras/{camera_id}/clip.mp4"): (f"/v1/cameras/{LOBBY}/clip.mp4?{SPAN}", None, NOBODY),
    ("GET", "/v1/cameras/{camera_id}/thumbnail.jpg"): (f"/v1/cameras/{LOBBY}/thumbnail.jpg?at={NOON}", None, NOBODY),
    # No role `live` runs here, and those who may are told so; for looks see live/test_live.
    ("POST", "/v1/live"): ("/v1/live", {"cameras": [{"camera_id": str(LOBBY)}]}, NOBODY),
    ("GET", "/v1/live/ice-servers"): ("/v1/live/ice-servers", None, LOOK),
    ("GET", "/v1/live/walls"): ("/v1/live/walls", None, LOOK),
    ("PUT", "/v1/live/walls/{site_id}"): (f"/v1/live/walls/{NORTH}", {"camera_ids": [str(LOBBY)]}, LOOK),
    # Nobody has an export that could be looked at, approved or fetched; for those see test_exports.
    ("POST", "/v1/exports"): ("/v1/exports", EXPORT_BODY, EXPORT),
    ("GET", "/v1/exports"): ("/v1/exports", None, APPROVE),
    ("GET", "/v1/exports/{export_id}"): (f"/v1/exports/{NONE}", None, NOBODY),
    ("GET", "/v1/exports-waiting"): ("/v1/exports-waiting", None, APPROVE),
    ("GET", "/v1/export-history"): ("/v1/export-history", None, APPROVE),
    ("POST", "/v1/exports/{export_id}/preview"): (f"/v1/exports/{NONE}/preview", None, NOBODY),
    ("GET", "/v1/exports/{export_id}/cameras/{camera_id}/clip.mp4"): (
        f"/v1/exports/{NONE}/cameras/{LOBBY}/clip.mp4?{SPAN}&purpose={NONE}",
        None,
        NOBODY,
    ),
    ("POST", "/v1/exports/{export_id}/approve"): (f"/v1/exports/{NONE}/approve", {}, NOBODY),
    ("POST", "/v1/exports/{export_id}/refuse"): (f"/v1/exports/{NONE}/refuse", {"reason": "a test"}, NOBODY),
    ("POST", "/v1/exports/{export_id}/cancel"): (f"/v1/exports/{NONE}/cancel", None, NOBODY),
    ("POST", "/v1/exports/{export_id}/prepare"): (f"/v1/exports/{NONE}/prepare", None, NOBODY),
    ("GET", "/v1/exports/{export_id}/download"): (f"/v1/exports/{NONE}/download", None, NOBODY),
    ("HEAD", "/v1/exports/{export_id}/download"): (f"/v1/exports/{NONE}/download", None, NOBODY),
    ("GET", "/v1/exports/{export_id}/manifest.json"): (f"/v1/exports/{NONE}/manifest.json", None, NOBODY),
    ("GET", "/v1/exports/{export_id}/manifest.sig"): (f"/v1/exports/{NONE}/manifest.sig", None, NOBODY),
    # Nobody has a case; for those see cases/test_cases.
    ("GET", "/v1/cases"): ("/v1/cases", None, APPROVE),
    ("POST", "/v1/cases"): ("/v1/cases", CASE_BODY, APPROVE),
    ("GET", "/v1/cases/{case_id}"): (f"/v1/cases/{NONE}", None, NOBODY),
    ("POST", "/v1/cases/{case_id}/review"): (f"/v1/cases/{NONE}/review", {"review": NOON}, NOBODY),
    ("POST", "/v1/cases/{case_id}/holds"): (f"/v1/cases/{NONE}/holds", EXPORT_BODY, NOBODY),
    ("POST", "/v1/cases/{case_id}/entries"): (f"/v1/cases/{NONE}/entries", {"note": "x"}, NOBODY),
    ("POST", "/v1/cases/{case_id}/end"): (f"/v1/cases/{NONE}/end", None, NOBODY),
    ("POST", "/v1/cases/{case_id}/keep"): (f"/v1/cases/{NONE}/keep", None, NOBODY),
    ("POST", "/v1/cases/{case_id}/confirm-end"): (f"/v1/cases/{NONE}/confirm-end", None, NOBODY),
    ("GET", "/v1/cases/{case_id}/bookmarks"): (f"/v1/cases/{NONE}/bookmarks", None, NOBODY),
    ("POST", "/v1/cases/{case_id}/bookmarks"): (f"/v1/cases/{NONE}/bookmarks", {"bookmark_id": NONE}, NOBODY),
    # Nor footage that could be bookmarked; for that see bookmarks/test_bookmarks.
    ("POST", "/v1/bookmarks"): ("/v1/bookmarks", {"camera_id": str(LOBBY), "at": NOON}, NOBODY),
    ("POST", "/v1/bookmarks/{bookmark_id}/remove"): (f"/v1/bookmarks/{NONE}/remove", None, NOBODY),
    # Nor an order; for those see erasures/test_erasures.
    ("GET", "/v1/erasures"): ("/v1/erasures", None, APPROVE),
    ("POST", "/v1/erasures"): ("/v1/erasures", ERASURE_BODY, NOBODY),
    ("GET", "/v1/erasures/{erasure_id}"): (f"/v1/erasures/{NONE}", None, NOBODY),
    ("POST", "/v1/erasures/{erasure_id}/approve"): (f"/v1/erasures/{NONE}/approve", None, NOBODY),
    ("POST", "/v1/erasures/{erasure_id}/refuse"): (f"/v1/erasures/{NONE}/refuse", None, NOBODY),
    ("POST", "/v1/erasures/{erasure_id}/cancel"): (f"/v1/erasures/{NONE}/cancel", None, NOBODY),
    ("GET", "/v1/export-key.pem"): ("/v1/export-key.pem", None, EVERYBODY),
    ("GET", "/v1/export-verifier.py"): ("/v1/export-verifier.py", None, EVERYBODY),
    ("GET", "/v1/audit/choices"): ("/v1/audit/choices", None, AUDIT),
    ("GET", "/v1/audit.csv"): ("/v1/audit.csv", None, AUDIT),
    ("GET", "/v1/audit"): ("/v1/audit", None, AUDIT),
    ("GET", "/v1/members/{member_id}/looks"): ("/v1/members/{aino}/looks", None, AUDIT),
    ("GET", "/v1/register/{member_id}"): ("/v1/register/{aino}", None, ADMIN),
    ("PUT", "/v1/register/{member_id}"): ("/v1/register/{aino}", {"fields": {"phone": "0401234"}}, ADMIN),
    ("GET", "/v1/register/{member_id}/history"): ("/v1/register/{aino}/history", None, ADMIN),
    ("POST", "/v1/register"): ("/v1/register", {"number": "3001", "fields": {"name": "New"}}, ADMIN),
    ("POST", "/v1/register/{member_id}/consents"): ("/v1/register/{aino}/consents", CONSENT_BODY, ADMIN),
    ("POST", "/v1/register/{member_id}/consents/{consent_id}/withdraw"): (
        f"/v1/register/{{aino}}/consents/{NONE}/withdraw",
        {"how": "desk"},
        NOBODY,
    ),
    ("GET", "/v1/register-rights"): ("/v1/register-rights", None, ADMIN),
    ("PUT", "/v1/register-rights"): ("/v1/register-rights", RIGHTS_BODY, ADMIN),
    ("GET", "/v1/register.csv"): ("/v1/register.csv", None, ADMIN),
    ("GET", "/v1/staff/{staff_id}/sees"): ("/v1/staff/{somebody}/sees", None, ADMIN),
    ("GET", "/v1/members/{member_id}/recipients"): ("/v1/members/{aino}/recipients", None, APPROVE),
    ("POST", "/v1/members/{member_id}/recipients"): ("/v1/members/{aino}/recipients", RECIPIENT_BODY, APPROVE),
    ("GET", "/v1/requests"): ("/v1/requests", None, ADMIN),
    ("POST", "/v1/requests"): ("/v1/requests", {"member_id": "{aino}", "kind": "access", "channel": "desk"}, ADMIN),
    # There is no request; for those see requests/test_requests.
    ("GET", "/v1/requests/{request_id}"): (f"/v1/requests/{NONE}", None, NOBODY),
    **{
        ("POST", f"/v1/requests/{{request_id}}/{step}"): (f"/v1/requests/{NONE}/{step}", {"text": "x"}, NOBODY)
        for step in ("identify", "extend", "answer", "refuse", "withdraw", "erase-person")
    },
    ("GET", "/v1/requests/{request_id}/copy.json"): (f"/v1/requests/{NONE}/copy.json", None, NOBODY),
    ("GET", "/v1/quarantine"): ("/v1/quarantine", None, ADMIN),
    ("GET", "/v1/retention"): ("/v1/retention", None, AUDIT),
    ("GET", "/v1/staff"): ("/v1/staff", None, ADMIN),
    ("POST", "/v1/staff"): ("/v1/staff", STAFF_BODY, ADMIN),
    ("PUT", "/v1/staff/{staff_id}/grants"): ("/v1/staff/{somebody}/grants", {"grants": []}, ADMIN),
    ("POST", "/v1/staff/{staff_id}/disable"): ("/v1/staff/{somebody}/disable", {"disabled": True}, ADMIN),
    ("POST", "/v1/staff/{staff_id}/second-factor"): ("/v1/staff/{somebody}/second-factor", None, ADMIN),
    ("POST", "/v1/staff/{staff_id}/password"): ("/v1/staff/{somebody}/password", {"password": PASSWORD}, ADMIN),
    ("POST", "/v1/staff/{staff_id}/sign-out"): ("/v1/staff/{somebody}/sign-out", None, ADMIN),
    ("POST", "/v1/password"): ("/v1/password", {"current": PASSWORD, "password": PASSWORD}, STAFF),
    ("POST", "/v1/recovery-codes"): ("/v1/recovery-codes", None, STAFF),
    ("GET", "/v1/health/live"): ("/v1/health/live", None, EVERYBODY),
    ("GET", "/v1/health"): ("/v1/health", None, NOBODY),  # 503: nothing runs beside it here
    ("HEAD", "/v1/health/live"): ("/v1/health/live", None, EVERYBODY),
    ("HEAD", "/v1/health"): ("/v1/health", None, NOBODY),
    ("GET", "/v1/health/parts"): ("/v1/health/parts", None, STAFF),
    ("GET", "/v1/alarms"): ("/v1/alarms", None, STAFF),
    ("GET", "/metrics"): ("/metrics", None, NOBODY),
}
NO_FOOTAGE = LOOK


def test_every_route_is_in_the_table() -> None:
    there = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert there == set(TABLE)


@pytest.mark.parametrize("role", NOBODY)
async def test_route_by_role_as_the_table_says(office: Office, role: str) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    grants = () if role in ("", "none") else (role,)
    wrong = []
    _, somebody = await office.hire("viewer")
    client = office.client() if role == "" else await office.signed_in(*grants)
    # A purpose that is known, of this very session, so that nothing but the role decides.
    if role:
        session = (await client.get("/v1/session")).json()
        client.purpose = await purpose_of(office, session["staff_id"])
    for (method, route), (address, body, may) in sorted(
        TABLE.items(), key=lambda item: item[0][1].startswith("/v1/sign-")
    ):
        path = address.replace("{aino}", str(gym.aino)).replace("{granted}", str(gym.granted))
        path = path.replace("{somebody}", str(somebody.staff_id))
        body = filled(body, office.clock.now_ns, str(gym.aino))
        answer = await client.request(method, path, json=body, headers=PART)
        allowed = answer.status_code < 300
        if allowed != may[role]:
            wrong.append((method, route, answer.status_code))
        if not allowed and route.startswith("/v1/cameras/{camera_id}/clip") and method == "GET":
            told = answer.json()["type"] == "urn:tallenne:no-footage"
            assert told == NO_FOOTAGE[role], (role, answer.text)
        if not allowed and route == "/v1/live" and role:
            assert answer.status_code == (503 if LOOK[role] else 404)
        if not allowed and role == "" and route not in ("/v1/sign-in", "/v1/health"):
            assert answer.status_code == 401, (route, answer.status_code)
    assert wrong == []


# What somebody with a role at the other site gets of those routes, though the table allows the role: an answer in which
# nothing of this site is. Whatever names something of this site, or is for those who hold the role everywhere: 404.
ELSEWHERE = {
    ("POST", "/v1/purposes"),
    ("GET", "/v1/find"),
    ("GET", "/v1/find/examples"),
    ("GET", "/v1/find/today"),
    ("GET", "/v1/live/ice-servers"),
    ("GET", "/v1/live/walls"),
    ("GET", "/v1/members"),
    ("GET", "/v1/events"),
    ("GET", "/v1/sites"),
    ("GET", "/v1/cameras"),
    ("GET", "/v1/doors"),
    ("GET", "/v1/exports"),
    ("GET", "/v1/exports-waiting"),
    ("GET", "/v1/export-history"),
    ("GET", "/v1/cases"),
    ("POST", "/v1/cases"),
    ("GET", "/v1/erasures"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/audit/choices"),
    ("GET", "/v1/audit.csv"),
}


@pytest.mark.parametrize("role", ["viewer", "exporter", "admin", "auditor"])
async def test_route_by_role_at_another_site_shows_nothing_of_this_one(office: Office, role: str) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    _, somebody = await office.hire("viewer")
    client = await office.signed_in(NewGrant(role=role, site_id=SOUTH))
    session = (await client.get("/v1/session")).json()
    client.purpose = await purpose_of(office, session["staff_id"])
    here = [str(each) for each in (LOBBY, CORRIDOR, FRONT, NORTH, gym.aino, gym.granted)]
    wrong = []
    for (method, route), (address, body, may) in TABLE.items():
        if may in (STAFF, EVERYBODY) or route == "/v1/sign-in":
            continue
        path = address.replace("{aino}", str(gym.aino)).replace("{granted}", str(gym.granted))
        path = path.replace("{somebody}", str(somebody.staff_id))
        body = filled(body, office.clock.now_ns, str(gym.aino))
        answer = await client.request(method, path, json=body, headers=PART)
        allowed = answer.status_code < 300
        if allowed != (may[role] and (method, route) in ELSEWHERE):
            wrong.append((method, route, answer.status_code))
        if [each for each in here if each in answer.text]:
            wrong.append((method, route, "shows this site"))
    assert wrong == []
    # Control: at this site the very same questions do show it.
    if role in ("viewer", "exporter", "admin"):
        local = await office.signed_in(NewGrant(role=role, site_id=NORTH))
        assert str(LOBBY) in (await local.get("/v1/cameras")).text


async def test_administrator_of_one_site_administers_no_staff(office: Office) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    _, somebody = await office.hire("viewer")
    client = await office.signed_in(NewGrant(role="admin", site_id=NORTH), NewGrant(role="auditor", site_id=NORTH))
    for (method, _), (address, body, may) in TABLE.items():
        # Of the register, administrators of a site see those who have been there.
        if (may == ADMIN and not address.startswith(("/v1/register", "/v1/requests"))) or "looks" in address:
            path = address.replace("{aino}", str(gym.aino)).replace("{somebody}", str(somebody.staff_id))
            assert (await client.request(method, path, json=body)).status_code == 404, address


async def purpose_of(office: Office, staff_id: str) -> str:
    purpose_id = uuid.uuid4()
    await office.owner.execute(
        "INSERT INTO purpose SELECT $1, session_id, 'incident', 'a test', 1 FROM staff_session WHERE staff_id = $2",
        purpose_id,
        uuid.UUID(staff_id),
    )
    return str(purpose_id)
