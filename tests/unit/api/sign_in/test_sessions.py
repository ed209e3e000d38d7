"""Sessions without a database: the token of requests that change something, the limits, the cookie."""

from __future__ import annotations

import json
import uuid
from typing import Any, cast

import pytest
from fastapi import Request, Response

from api.credentials.secret_key import SecretKey
from api.http.problems import Problem
from api.records import Records
from api.sign_in import rights
from api.sign_in.sessions import (
    ABSOLUTE_NS,
    COOKIE,
    IDLE_NS,
    STEP_UP_NS,
    Session,
    csrf_of,
    drop_cookie,
    find_session,
    require,
    require_step_up,
    set_cookie,
    signed_in,
)
from domain.time import NS

NOW_NS = 1_000_000 * NS
KEY = SecretKey(bytes(range(32)))


class Pool:
    """One session, which is ``seen_ns`` old; keeps what it was asked."""

    def __init__(self, *, idle_ns: int = 0, found: bool = True) -> None:
        self.idle_ns, self.found = idle_ns, found
        self.asked: list[tuple[Any, ...]] = []
        self.touched: list[tuple[Any, ...]] = []

    async def fetchrow(self, _: str, *arguments: Any) -> dict[str, Any] | None:
        self.asked.append(arguments)
        row = {
            "session_id": uuid.UUID(int=1),
            "staff_id": uuid.UUID(int=2),
            "user_name": "mary",
            "display_name": "Mary",
            "created_ns": 0,
            "stepped_up_ns": 0,
            "seen_ns": NOW_NS - self.idle_ns,
            "grants": json.dumps([["viewer", str(uuid.UUID(int=3)), None]]),
        }
        return row if self.found else None

    async def execute(self, _: str, *arguments: Any) -> None:
        self.touched.append(arguments)


def records(pool: Pool) -> Records:
    return Records(pool=cast("Any", pool), clock_ns=lambda: NOW_NS, hash_cookie=KEY.hash_cookie)


def request(method: str, token: str | None = None) -> Request:
    headers = [] if token is None else [(b"x-csrf-token", token.encode("latin-1"))]
    return Request({"type": "http", "method": method, "headers": headers})


async def test_session_is_looked_up_by_the_hash_of_its_cookie_within_both_limits() -> None:
    pool = Pool()
    found = await find_session(records(pool), "cookie")
    assert found is not None
    assert found.actor == f"staff:{uuid.UUID(int=2)}"
    assert found.grants == (rights.Grant(role="viewer", site_id=uuid.UUID(int=3), camera_id=None),)
    ((token_hash, created_after_ns, seen_after_ns),) = pool.asked
    assert token_hash == KEY.hash_cookie("cookie")
    assert (created_after_ns, seen_after_ns) == (NOW_NS - ABSOLUTE_NS, NOW_NS - IDLE_NS)


@pytest.mark.parametrize("token", [None, ""])
async def test_no_cookie_asks_nothing(token: str | None) -> None:
    pool = Pool()
    assert await find_session(records(pool), token) is None
    assert pool.asked == []


@pytest.mark.parametrize(("idle_s", "touched"), [(0, False), (10, False), (11, True)])
async def test_session_is_touched_only_now_and_then(idle_s: int, touched: bool) -> None:
    pool = Pool(idle_ns=idle_s * NS)
    await find_session(records(pool), "cookie")
    assert bool(pool.touched) is touched


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_reading_needs_no_token(method: str) -> None:
    assert (await signed_in(request(method), records(Pool()), "cookie")).user_name == "mary"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "get"])
@pytest.mark.parametrize("token", [None, "", "another", "cookie", csrf_of("another"), csrf_of("cookie") + " "])
async def test_changing_something_needs_the_sessions_own_token(method: str, token: str | None) -> None:
    with pytest.raises(Problem) as caught:
        await signed_in(request(method, token), records(Pool()), "cookie")
    assert (caught.value.status, caught.value.code) == (403, "csrf")
    assert (await signed_in(request(method, csrf_of("cookie")), records(Pool()), "cookie")).user_name == "mary"


async def test_who_is_not_signed_in_is_told_to() -> None:
    with pytest.raises(Problem) as caught:
        await signed_in(request("GET"), records(Pool(found=False)), "cookie")
    assert caught.value.status == 401


def session(stepped_up_ns: int) -> Session:
    return Session(
        session_id=cast("Any", uuid.UUID(int=1)),
        staff_id=cast("Any", uuid.UUID(int=2)),
        user_name="mary",
        display_name="Mary",
        csrf_token="t",
        created_ns=0,
        stepped_up_ns=stepped_up_ns,
        grants=(rights.Grant(role="viewer", site_id=None, camera_id=None),),
    )


@pytest.mark.parametrize(("age_ns", "fresh"), [(0, True), (STEP_UP_NS - 1, True), (STEP_UP_NS, False)])
def test_second_factor_is_fresh_for_exactly_five_minutes(age_ns: int, fresh: bool) -> None:
    mine = session(NOW_NS - age_ns)
    assert mine.stepped_up(NOW_NS) is fresh
    if fresh:
        require_step_up(records(Pool()), mine)
    else:
        with pytest.raises(Problem) as caught:
            require_step_up(records(Pool()), mine)
        assert caught.value.code == "step-up-needed"


def test_missing_right_answers_like_a_missing_page() -> None:
    require(session(0), rights.LOOK)
    with pytest.raises(Problem) as caught:
        require(session(0), rights.OPERATE)
    assert caught.value.status == 404


def test_cookie_is_for_this_host_by_tls_and_out_of_reach_of_scripts() -> None:
    response = Response()
    set_cookie(response, "value")
    drop_cookie(response)
    made, dropped = response.headers.getlist("set-cookie")
    for cookie in (made, dropped):
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
    assert "Max-Age=0" in dropped
    assert "session" not in repr(session(0)).partition("csrf")[2]
