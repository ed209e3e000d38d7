"""A member whose person is erased is out at once, and nothing of what they write meanwhile is left."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from api.members.sessions import start_session
from runtime.database import connect
from storage.register import Field, Source, Way, give_consent, keep
from tests.conftest import Database
from tests.integration.api.members.club import AINO, Club

pytestmark = [pytest.mark.services, pytest.mark.trust]
ERASE = "SELECT erase_person($1, 1)"
LEFT = (
    "SELECT (SELECT count(*) FROM member_field WHERE member_id = $1) + (SELECT count(*) FROM member_consent"
    " WHERE member_id = $1) + (SELECT count(*) FROM member_session WHERE member_id = $1) + (SELECT count(*)"
    " FROM member_code WHERE member_id = $1)"
)


async def asked(club: Club) -> uuid.UUID:
    """An erasure whose asker was checked."""
    request = uuid.uuid4()
    await club.office.owner.execute(
        "INSERT INTO member_request (request_id, member_id, kind, channel, state, received_ns, due_ns, identity_ns,"
        " identity) VALUES ($1, $2, 'erasure', 'desk', 'checked', 0, 1, 1, 'passport')",
        request,
        club.gym.aino,
    )
    return request


async def test_member_is_out_at_once_and_no_trace_of_the_sign_in_is_left(club: Club) -> None:
    client, waiting = await club.signed_in(), club.office.client()
    token = (await club.ask(waiting, AINO)).json()["request"]
    assert (await client.get("/v1/me")).status_code == 200
    assert await club.office.owner.fetchval(LEFT, club.gym.aino) > 2  # control
    assert await club.office.owner.fetchval(ERASE, await asked(club))
    assert (await client.get("/v1/me")).status_code == 401
    late = await waiting.post("/v1/me/sign-in", json={"request": token, "code": club.codes()[0]})
    assert late.status_code == 401
    assert await club.office.owner.fetchval(LEFT, club.gym.aino) == 0
    sent = len(club.box.mails)
    await club.ask(waiting, AINO)
    assert len(club.box.mails) == sent


async def write(club: Club, conn: Any) -> None:
    """What members and staff write about a member, in the caller's transaction."""
    now_ns, member, room = club.office.clock.now_ns, club.gym.aino, club.office.rooms.members
    await keep(conn, member, {Field.PHONE: "0405555"}, source=Source.MEMBER, staff_id=None, now_ns=now_ns)
    await give_consent(conn, member, "x", Way.MEMBER, staff_id=None, now_ns=now_ns)
    await start_session(room, conn, member, room.email_hash(AINO), now_ns)


async def test_what_is_written_during_the_erasure_goes_with_it(club: Club, database: Database) -> None:
    serve, request = await connect(database.serve), await asked(club)
    writing = serve.transaction()
    await writing.start()
    await write(club, serve)
    erasing = asyncio.create_task(club.office.owner.fetchval(ERASE, request))
    await asyncio.sleep(0.3)
    assert not erasing.done()
    await writing.commit()
    assert await erasing
    await serve.close()
    assert await club.office.owner.fetchval(LEFT, club.gym.aino) == 0


async def test_what_comes_behind_the_erasure_is_not_written(club: Club, database: Database) -> None:
    serve, request = await connect(database.serve), await asked(club)
    erasing = club.office.owner.transaction()
    await erasing.start()
    await club.office.owner.fetchval(ERASE, request)
    writing = asyncio.create_task(write(club, serve))
    await asyncio.sleep(0.3)
    assert not writing.done()
    await erasing.commit()
    with pytest.raises(Exception, match="not signed in"):  # the session; what came before it left nothing
        await writing
    await serve.close()
    assert await club.office.owner.fetchval(LEFT, club.gym.aino) == 0
