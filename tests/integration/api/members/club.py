"""The gym's API with members' pages, two members who have an address, and a mail server that is not ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from api.members.post import Post
from api.settings import MembersSettings
from domain.ids import MemberId
from runtime.settings import MailServer
from storage.register import Field, Source, keep
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import Gym, open_gym
from tests.support.alarms.mailbox import Mailbox

AINO, ONNI, UNKNOWN = "aino@example.org", "onni@example.org", "stranger@example.org"
NEWSLETTER, WALL = "Kuvani saa näkyä uutiskirjeessä", "Nimeni saa näkyä seinällä"
FIELDS = ("email", "phone", "address", "offers_email", "offers_sms", "offers_post")


def settings_of(port: int) -> MembersSettings:
    server = MailServer(host="127.0.0.1", port=port, tls="none", sender="gym@example.org")
    return MembersSettings(name="Testisali", mail=server, may_change=FIELDS, consents=(NEWSLETTER, WALL))


@dataclass(kw_only=True)
class Club:
    office: Office
    gym: Gym
    box: Mailbox

    async def set_email(self, member_id: MemberId, email: str) -> None:
        now_ns = self.office.clock.now_ns
        values = {Field.EMAIL: email}
        await keep(self.office.owner, member_id, values, source=Source.IMPORT, staff_id=None, now_ns=now_ns)

    async def ask(self, client: Client, email: str) -> httpx.Response:
        """Ask for a code, and wait for what is sent."""
        answer = await client.post("/v1/me/sign-in/code", json={"email": email})
        await self.office.rooms.members.post.idle()
        return answer

    def codes(self) -> list[str]:
        """Of the last mail."""
        return codes_of(self.box.mails[-1].get_content())

    async def signed_in(self, email: str = AINO, *, address: str = "192.0.2.7") -> Client:
        client = self.office.client(address)
        asked = await self.ask(client, email)
        assert asked.status_code == 202, asked.text
        answer = await enter(client, asked.json()["request"], self.codes()[0])
        assert answer.status_code == 200, answer.text
        return client


def codes_of(text: str) -> list[str]:
    return [found.replace(" ", "") for found in re.findall(r"\b\d{4} \d{4}\b", text)]


async def enter(client: Client, request: str, code: str) -> httpx.Response:
    answer = await client.post("/v1/me/sign-in", json={"request": request, "code": code})
    if answer.status_code == 200:
        client.csrf = answer.json()["csrf_token"]
    return answer


@asynccontextmanager
async def club_of(office: Office) -> AsyncIterator[Club]:
    gym = await open_gym(office.owner, office.clock.now_ns)
    box = Mailbox()
    box.open()
    settings = settings_of(box.port)
    members = replace(office.rooms.members, settings=settings, post=Post(settings.mail, office.clock))
    office.rooms = replace(office.rooms, members=members)
    club = Club(office=office, gym=gym, box=box)
    await club.set_email(gym.aino, AINO)
    await club.set_email(gym.onni, ONNI)
    yield club
    await members.post.close()
    box.close()


def values(card: Any) -> dict[str, str]:
    return {each["field"]: each["value"] for each in card["fields"]}
