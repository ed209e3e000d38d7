"""Every operation of the members' document, with whatever its schema allows and much that it does not."""

from __future__ import annotations

import asyncio
import collections
import uuid
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from api.members.app import build_members_app
from api.members.post import Post
from api.members.sessions import COOKIE, csrf_of, start_session
from storage.register import Way, give_consent
from tests.integration.api.conftest import BASE
from tests.integration.api.members.club import AINO, NEWSLETTER, Club
from tests.integration.api.test_openapi import CHECKS

pytestmark = [pytest.mark.services, pytest.mark.slow]
EXAMPLES = 24
CODES = {"/v1/me/sign-in", "/v1/me/email/confirm"}  # hardly ever guessed


class Caller:
    """Sends cases as a member, who is signed in anew for each; or as a stranger."""

    def __init__(self, club: Club, *, stranger: bool) -> None:
        self.club, self.stranger = club, stranger
        self.client = club.office.client()
        self.seen: collections.Counter[tuple[str, str, int]] = collections.Counter()

    async def send(self, case: Any, known: bool) -> httpx.Response:
        await self.club.office.owner.execute("DELETE FROM sign_in_throttle")
        wanted = case.as_transport_kwargs(base_url=BASE)
        wanted.pop("cookies", None)
        headers = {name.lower(): str(value) for name, value in (wanted.pop("headers", None) or {}).items()}
        if not self.stranger:
            headers |= await self._signed_in()
        if known:
            await self._make_known(case, wanted)
        request = self.client.build_request(
            wanted.pop("method"),
            wanted.pop("url"),
            headers={name: value.encode("latin-1", "replace") for name, value in headers.items()},
            **{name: value for name, value in wanted.items() if name in ("params", "json", "content")},
        )
        answer = await self.client.send(request)
        self.seen[case.method, case.operation.path, answer.status_code] += 1
        return answer

    async def _signed_in(self) -> dict[str, str]:
        room, member = self.club.office.rooms.members, self.club.gym.aino
        now_ns = self.club.office.clock.now_ns
        token, _ = await start_session(room, self.club.office.owner, member, room.email_hash(AINO), now_ns)
        return {"cookie": f"{COOKIE}={token}", "x-csrf-token": csrf_of(token)}

    async def _make_known(self, case: Any, wanted: dict[str, Any]) -> None:
        """What exists, in place of what was made up."""
        bodies = {
            "/v1/me": {"fields": {"phone": "0401234567"}},
            "/v1/me/consents": {"purpose": NEWSLETTER},
            "/v1/me/email": {"email": "new@example.org"},
            "/v1/me/sign-in/code": {"email": AINO},
        }
        if case.operation.path.endswith("/{consent_id}/withdraw"):
            now_ns, member = self.club.office.clock.now_ns, self.club.gym.aino
            given_id = await give_consent(self.club.office.owner, member, "x", Way.PAPER, staff_id=None, now_ns=now_ns)
            wanted["url"], wanted["json"] = f"{BASE}/v1/me/consents/{given_id}/withdraw", {}
        elif case.operation.path.endswith("/{request_id}/withdraw"):
            columns = "request_id, member_id, kind, channel, received_ns, due_ns"
            row = (uuid.uuid4(), self.club.gym.aino)
            await self.club.office.owner.execute(
                f"INSERT INTO member_request ({columns}) VALUES ($1, $2, 'access', 'page', 0, 1)", *row
            )
            wanted["url"] = f"{BASE}/v1/me/requests/{row[0]}/withdraw"
        elif case.operation.path in bodies and case.method != "GET":
            wanted["json"] = bodies[case.operation.path]


@pytest.mark.parametrize("stranger", [False, True], ids=["member", "stranger"])
async def test_no_operation_breaks_or_leaves_its_schema(club: Club, stranger: bool) -> None:
    # No mail: its client draws random numbers, which Hypothesis takes for its own.
    members = replace(club.office.rooms.members, post=Post(None, club.office.clock))
    club.office.rooms = replace(club.office.rooms, members=members)
    schema = schemathesis.openapi.from_dict(build_members_app(club.office.rooms.members).openapi())
    caller, loop = Caller(club, stranger=stranger), asyncio.get_running_loop()

    def wait(work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    def check_all(operation: Any) -> None:
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
            case.validate_response(wait(caller.send(case, known=count % 3 == 0)), checks=CHECKS)

        check()

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        await asyncio.to_thread(check_all, operation)
    assert {(each.method.upper(), each.path) for each in operations} == {(m, p) for m, p, _ in caller.seen}
    answered = {path for _, path, status in caller.seen if status < 300}
    if stranger:
        assert answered == {"/v1/me/sign-in/code"}
    else:
        assert {path for _, path, _ in caller.seen} - answered == CODES
