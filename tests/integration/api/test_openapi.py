"""Every operation of the OpenAPI document, with whatever its schema allows and much that it does not."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.sign_in.sessions import COOKIE, csrf_of, start_session
from domain.ids import SessionId, StaffId
from domain.time import DAY_NS, NS, Span, to_iso
from tests.conftest import Database
from tests.integration.api.conftest import BASE, Office
from tests.integration.api.footage import footage_of
from tests.integration.api.gym import FRONT, LOBBY, NORTH, Gym, open_gym
from tests.integration.api.test_exports import look_at

pytestmark = [pytest.mark.services, pytest.mark.slow]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 16
REFUSED = (
    "/v1/live",  # no role of this name runs here
    "/v1/sign-in",
    "/v1/step-up",
    "/v1/password",
    # One's own, and of what waits for a decision.
    *(
        f"/v1/exports/{{export_id}}/{each}"
        for each in ("preview", "cameras/{camera_id}/clip.mp4", "approve", "refuse", "cancel")
    ),
    # A request: hardly ever guessed. tests/integration/api/requests has them.
    "/v1/requests/{request_id}",
    *(
        f"/v1/requests/{{request_id}}/{each}"
        for each in ("copy.json", "identify", "extend", "answer", "refuse", "withdraw", "erase-person")
    ),
    # PUT /v1/register-rights has taken away who sees what. tests/integration/api/register has them.
    "/v1/register",
    *(f"/v1/register/{{member_id}}{each}" for each in ("", "/history", "/consents", "/consents/{consent_id}/withdraw")),
    # A password, a camera in a body: hardly ever guessed.
    "/v1/staff/{staff_id}/password",
    "/v1/live/walls/{site_id}",
    "/v1/exports",
    "/v1/cases/{case_id}/holds",
    "/v1/cases/{case_id}/bookmarks",
    "/v1/bookmarks",
    "/v1/bookmarks/{bookmark_id}/remove",
    # A date within a year; a colleague's word.
    "/v1/cases",
    "/v1/cases/{case_id}/review",
    "/v1/cases/{case_id}/confirm-end",
    "/v1/erasures",
    "/v1/erasures/{erasure_id}/approve",
    "/v1/erasures/{erasure_id}/refuse",  # a code given within five minutes
    "/v1/erasures/{erasure_id}/cancel",  # only who asked takes it back
)


@dataclasses.dataclass(kw_only=True)
class Caller:
    """Sends cases into the application; signs in anew when a case has ended the session."""

    office: Office
    gym: Gym
    span: Span
    staff_id: StaffId
    somebody: StaffId
    client: httpx.AsyncClient
    export_id: str = ""
    case_id: str = ""
    erasure_id: str = ""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    seen: collections.Counter[tuple[str, str, int]] = dataclasses.field(default_factory=collections.Counter)

    async def sign_in(self) -> None:
        now_ns, purpose_id = self.office.clock.now_ns, uuid.uuid4()
        cookie, session_id = await start_session(
            self.office.owner, self.staff_id, now_ns, self.office.rooms.records.hash_cookie
        )
        await self._state(purpose_id, session_id)
        self.headers = {
            "cookie": f"{COOKIE}={cookie}",
            "x-csrf-token": csrf_of(cookie),
            "tallenne-purpose": str(purpose_id),
        }

    async def make_export(self) -> None:
        body = {
            "camera_ids": [str(LOBBY)],
            "start": to_iso(self.span.start_ns),
            "end": to_iso(self.span.end_ns),
        }
        answer = await self.client.post("/v1/exports", json=body, headers=self.headers)
        self.export_id = answer.json()["export_id"]
        second = await self.office.signed_in("exporter")
        await look_at(second, answer.json())
        assert (await second.post(f"/v1/exports/{self.export_id}/approve", json={})).status_code == 200
        path = f"/v1/exports/{self.export_id}/prepare"
        assert (await self.client.post(path, headers=self.headers)).status_code == 200
        while self.office.rooms.exports.jobs.at_work():  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def open_case(self) -> None:
        review = to_iso(self.office.clock.now_ns + DAY_NS)
        body = {"title": "a case", "reason": "a test", "review": review}
        answer = await self.client.post("/v1/cases", json=body, headers=self.headers)
        self.case_id = answer.json()["case_id"]

    async def ask_erasure(self) -> None:
        """By a colleague."""
        self.erasure_id = str(uuid.uuid4())
        await self.office.owner.execute(
            "INSERT INTO erasure (erasure_id, reason, camera_ids, start_ns, end_ns, asked_by, asked_ns)"
            " VALUES ($1, 'a test', $2, ARRAY[$3::bigint], ARRAY[$4::bigint], $5, $6)",
            self.erasure_id,
            [LOBBY],
            self.span.start_ns,
            self.span.end_ns,
            self.somebody,
            self.office.clock.now_ns,
        )

    async def _state(self, purpose_id: uuid.UUID, session_id: SessionId) -> None:
        await self.office.owner.execute(
            "INSERT INTO purpose VALUES ($1, $2, 'safety', 'a test', $3)",
            purpose_id,
            session_id,
            self.office.clock.now_ns,
        )

    async def send(self, case: Any, *, known: bool, stranger: bool) -> httpx.Response:
        if known:
            self._make_known(case)
        wanted = case.as_transport_kwargs(base_url=BASE)
        wanted.pop("cookies", None)
        if isinstance(query := wanted.get("params"), dict):
            query.pop("as", None)  # the role that converts does not run here
        headers = {name.lower(): str(value) for name, value in (wanted.pop("headers", None) or {}).items()}
        if not stranger:
            headers.update(self.headers)
        if known and case.operation.path.endswith("/clip.mp4"):  # watched in parts
            headers["range"] = "bytes=0-1023"
        request = self.client.build_request(
            wanted.pop("method"),
            wanted.pop("url"),
            headers={name: value.encode("latin-1", "replace") for name, value in headers.items()},
            **{name: value for name, value in wanted.items() if name in ("params", "json", "content", "files")},
        )
        answer = await self.client.send(request)
        self.seen[case.method, case.operation.path, answer.status_code] += 1
        if answer.status_code == 401 and not stranger:
            await self.sign_in()
        return answer

    def _make_known(self, case: Any) -> None:
        """What exists, in place of what was made up: otherwise most answers would be refusals."""
        there = {
            "camera_id": str(LOBBY),
            "member_id": str(self.gym.aino),
            "event_id": str(self.gym.granted),
            "staff_id": str(self.somebody),
            "export_id": self.export_id,
            "case_id": self.case_id,
            "erasure_id": self.erasure_id,
            "site": str(NORTH),
            "door": str(FRONT),
            "start": to_iso(self.span.start_ns),
            "at": to_iso(self.span.start_ns + NS),
            "end": to_iso(self.span.end_ns),
            "purpose": self.headers["tallenne-purpose"],
            "cursor": None,
        }
        for values in (case.path_parameters, case.query):
            for name in list(values or ()):
                if there.get(name, ""):
                    values[name] = there[name]
        if case.query:
            case.query.pop("cursor", None)


@pytest.fixture
async def caller(office: Office, database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    gym = await open_gym(office.owner, office.clock.now_ns)
    _, staff = await office.hire("exporter", "admin", "auditor")
    _, somebody = await office.hire("viewer")
    async with footage_of(office, database, {LOBBY: NORTH}, tmp_path, seconds=4) as footage:
        made = Caller(
            office=office,
            gym=gym,
            span=footage.span,
            staff_id=staff.staff_id,
            somebody=somebody.staff_id,
            client=office.client(),
        )
        await made.sign_in()
        await made.make_export()
        await made.open_case()
        await made.ask_erasure()
        yield made
        await office.rooms.pictures.close()


@pytest.mark.parametrize("stranger", [False, True], ids=["staff", "stranger"])
async def test_no_operation_breaks_or_leaves_its_schema(caller: Caller, stranger: bool) -> None:
    document = caller.office.app.openapi()
    schema = schemathesis.openapi.from_dict(document)
    loop = asyncio.get_running_loop()

    def wait(work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        await asyncio.to_thread(_try, operation, caller, wait, stranger)
    assert {(each.method.upper(), each.path) for each in operations} == {(m, p) for m, p, _ in caller.seen}
    answered = {path for _, path, status in caller.seen if status < 300}
    if not stranger:
        # Not only refusals. Nobody guesses a password or a code; nobody else's export is approved.
        refused = {path for _, path, _ in caller.seen} - answered
        assert refused <= {*REFUSED}, refused
    else:
        # /v1/health answers everybody, with 200 or 503: here by whether the parts of the test's machine answer.
        assert answered - {"/v1/health"} == {"/v1/health/live", "/v1/export-key.pem", "/v1/export-verifier.py"}


async def test_the_checks_see_a_schema_that_does_not_hold(caller: Caller) -> None:
    """Positive control: the document promises another type, and an operation that breaks."""
    document = deepcopy(caller.office.app.openapi())
    answers = document["components"]["schemas"]["SiteAnswer"]["properties"]
    answers["name"] = {"type": "integer"}
    schema = schemathesis.openapi.from_dict(document)
    loop = asyncio.get_running_loop()

    def wait(work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    operation = schema["/v1/sites"]["GET"]
    with pytest.raises(FailureGroup):
        await asyncio.to_thread(_try, operation, caller, wait, False)


def _try(operation: Any, caller: Caller, wait: Callable[..., httpx.Response], stranger: bool) -> None:
    count = 0

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES // (3 if stranger else 1),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any) -> None:
        nonlocal count
        count += 1
        answer = wait(caller.send(case, known=count % 3 != 0, stranger=stranger))
        case.validate_response(answer, checks=CHECKS)

    check()
