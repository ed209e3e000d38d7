"""One-time codes by mail: eight digits, good for ten minutes, five tries, one use, in the browser that asked.

Asking does the same work for every address: it counts the attempt and adds a row. Whether the address is known is
looked up afterwards, in the background (post.py). Each member of an address gets a code of their own, which opens their
pages alone.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Final, Literal

import asyncpg

from api.http.problems import Problem
from api.members.room import Members
from api.members.wording import code_mail, new_email_mail
from api.register.checking import checked_values
from domain.ids import MemberId
from domain.time import MINUTE_NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import members as members_by_id
from storage.register import Field, members_of_email, present

_log = logging.getLogger(__name__)
GOOD_NS: Final = 10 * MINUTE_NS
TRIES: Final = 5
SHARED_MAX: Final = 8
"""An address that more members have is no family's: it opens none of their pages."""
_DIGITS: Final = 8
_PACKAGE: Final = "api.members"
Kind = Literal["sign_in", "new_email"]


async def ask_sign_in(room: Members, email: str, language: str) -> str:
    """Return the token of the request, for the browser that asks. What is sent, and whether, is decided later."""
    token = await _ask(room, email, "sign_in")
    room.post.later(partial(_send_sign_in, room, token, email, language))
    return token


async def ask_new_email(room: Members, member_id: MemberId, email: str, language: str) -> str:
    """Return the token of the request; a code goes to the address that the member wants to have."""
    token = await _ask(room, email, "new_email")
    room.post.later(partial(_send_new_email, room, token, member_id, email, language))
    return token


async def take(
    room: Members, conn: asyncpg.Connection, kind: Kind, token: str, typed: str, now_ns: int
) -> tuple[MemberId, bytes, str] | None:
    """Use a code up, in the caller's transaction: its member, the hash of the address it went to, the present address.

    None: wrong, late, used, tried too often, or of a member whose link is erased. The try is counted all the same.
    """
    request, code = room.key.hash_member("request", token), _code_hash(room, token, re.sub(r"[\s-]", "", typed))
    email_hash = await conn.fetchval(sql.load(_PACKAGE, "code_try"), request, kind, now_ns - GOOD_NS, TRIES)
    owner = await conn.fetchrow(sql.load(_PACKAGE, "code_owner"), request, code)
    if email_hash is None or owner is None:
        return None
    if kind == "sign_in" and not hmac.compare_digest(email_hash, room.email_hash(owner["email"])):
        return None  # the member has another address by now
    if not await conn.fetchval(sql.load(_PACKAGE, "code_use"), request, now_ns):
        return None
    return MemberId(owner["member_id"]), email_hash, owner["email"]


def checked_email(room: Members, text: str) -> str:
    """The address as the register would have it. Problem 422: it is none."""
    email = checked_values({Field.EMAIL: text}, room.records.clock_ns())[Field.EMAIL]
    if not email:
        raise Problem(422, "field-email", "The address is blank.", "Type your address.")
    return email


def wrong_code() -> Problem:
    """Return problem 401: the code does not open anything, for whatever reason."""
    return Problem(
        401,
        "member-code",
        "The code is wrong, too old, or was used already.",
        "Type it once more, or ask for another one.",
    )


async def _ask(room: Members, email: str, kind: Kind) -> str:
    token = secrets.token_urlsafe(32)
    values = (room.key.hash_member("request", token), room.email_hash(email), kind, room.records.clock_ns())
    with wrapped_errors():
        await room.records.pool.execute(sql.load(_PACKAGE, "code_request"), *values)
    return token


async def _send_sign_in(room: Members, token: str, email: str, language: str) -> None:
    """To the address as the register has it, never as it was typed: letters that fold alike are not one mailbox."""
    pool = room.records.pool
    found = await members_of_email(pool, email, SHARED_MAX + 1)
    if len(found) > SHARED_MAX:
        _log.warning("no code was sent: more than %d members have one address", SHARED_MAX)
        return
    people, addresses = await members_by_id(pool, found), await present(pool, found, [Field.EMAIL])
    there = [member_id for member_id in found if member_id in people and Field.EMAIL in addresses[member_id]]
    codes = await _new_codes(room, token, there)
    for address in sorted({addresses[member_id][Field.EMAIL].value for member_id in there}):
        mine = [
            (people[member_id].name, code)
            for member_id, code in codes
            if addresses[member_id][Field.EMAIL].value == address
        ]
        await room.post.send(address, *code_mail(language, room.own.name, mine))


async def _send_new_email(room: Members, token: str, member_id: MemberId, email: str, language: str) -> None:
    ((_, code),) = await _new_codes(room, token, [member_id])
    await room.post.send(email, *new_email_mail(language, room.own.name, code))


async def _new_codes(room: Members, token: str, members: Sequence[MemberId]) -> list[tuple[MemberId, str]]:
    """A code for each, no two the same."""
    codes: set[str] = set()
    while len(codes) < len(members):
        codes.add(f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}")
    made = list(zip(members, codes, strict=True))
    request = room.key.hash_member("request", token)
    rows = [(request, _code_hash(room, token, code), member_id) for member_id, code in made]
    with wrapped_errors():
        await room.records.pool.executemany(sql.load(_PACKAGE, "code_add"), rows)
    return made


def _code_hash(room: Members, token: str, code: str) -> bytes:
    return room.key.hash_member("code", f"{token}\x1f{code}")
