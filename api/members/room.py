"""What the members' routes work with: rows, keys, limits and mail. None of it knows a session of staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from api.credentials.secret_key import SecretKey
from api.credentials.throttle import Attempt, Limit, Throttle
from api.http.connection_limit import network_of
from api.http.problems import Problem
from api.http.provide import provided
from api.members.post import Post
from api.records import Records
from api.settings import MembersSettings
from domain.ids import MemberId
from domain.time import HOUR_NS, MINUTE_NS, NS

PER_EMAIL: Final = Limit(free=4, first_ns=5 * MINUTE_NS, longest_ns=2 * HOUR_NS)
"""Of codes sent to one address, known or not: five, then one after 5, 10, 20, 40, 80 and each 120 minutes."""
PER_ADDRESS: Final = Limit(free=30)
"""Of requests for codes, and of wrong codes, from one network: a gym's guests share one."""
PER_MEMBER: Final = Limit(free=300, forget_ns=HOUR_NS)
"""Of requests of a member who is signed in, each of which is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """``settings`` None: members have no pages here. ``records.hash_cookie`` is of members' cookies alone."""

    records: Records
    key: SecretKey
    throttle: Throttle
    post: Post
    settings: MembersSettings | None
    default_language: str

    @property
    def own(self) -> MembersSettings:
        """The settings; routes exist only where there are some."""
        assert self.settings is not None
        return self.settings

    def email_hash(self, email: str) -> bytes:
        """Return what is stored of an address, whatever its case."""
        return self.key.hash_member("email", email.lower())

    def network(self, kind: str, request: Request) -> Attempt:
        """An attempt from the client's network."""
        host = network_of(request.client.host) if request.client else ""
        return Attempt(key=self.key.throttle_key(f"member {kind} address", host), limit=PER_ADDRESS)

    def code_to(self, email: str) -> Attempt:
        """A code for an address."""
        return Attempt(key=self.key.throttle_key("member code", email.lower()), limit=PER_EMAIL)

    async def begin(self, *attempts: Attempt) -> None:
        """Count the attempts. Problem 429 with the wait while one of them is blocked."""
        wait_ns = await self.throttle.begin(attempts, self.records.clock_ns())
        if wait_ns:
            seconds = -(-wait_ns // NS)
            raise Problem(
                429,
                "too-many",
                "Too many attempts.",
                f"Wait {seconds} seconds and try once more.",
                headers={"Retry-After": str(seconds)},
            )

    async def count(self, member_id: MemberId) -> None:
        """Count a request of a member. Problem 429: too many in an hour."""
        await self.begin(Attempt(key=self.key.throttle_key("member", str(member_id)), limit=PER_MEMBER))


MembersDep = Annotated[Members, Depends(provided(Members))]
