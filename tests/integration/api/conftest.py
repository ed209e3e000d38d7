"""An API over a real database, called in-process; its clock stands still unless a test moves it."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from api.app import build_asgi, furnish, make_app
from api.credentials.accounts import CreatedStaff, NewGrant, create_staff
from api.credentials.passwords import Passwords
from api.credentials.secret_key import load_secret_key
from api.rooms import Rooms, make_rooms
from api.settings import ServeSettings
from domain.time import NS
from runtime.database import connect, open_pool
from runtime.settings import StoreSettings
from storage.store import NullStore
from tests.conftest import Database

BASE = "https://tallenne.test"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
PASSWORD = "kolme oranssia polkupyoraa"


@dataclass(kw_only=True)
class Clock:
    """Nanoseconds, moved by hand."""

    now_ns: int = field(default_factory=time.time_ns)

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)


class Client(httpx.AsyncClient):
    """Sends the session's token and its purpose, once there are any."""

    csrf = ""
    purpose = ""

    async def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", None) or {})
        if self.csrf and "X-CSRF-Token" not in headers:
            headers["X-CSRF-Token"] = self.csrf
        if self.purpose and "Tallenne-Purpose" not in headers:
            headers["Tallenne-Purpose"] = self.purpose
        return await super().request(method, url, headers=headers, **more)

    async def state_purpose(self) -> str:
        answer = await self.post("/v1/purposes", json={"category": "incident", "reason": "a test"})
        assert answer.status_code == 201, answer.text
        self.purpose = str(answer.json()["purpose_id"])
        return self.purpose


@dataclass(kw_only=True)
class Office:
    """The API, the owner's connection, and ways in."""

    rooms: Rooms
    app: FastAPI  # shared by all tests of a session, one after another
    owner: asyncpg.Connection
    clock: Clock
    secret_directory: Path
    clients: list[Client]

    def asgi(self) -> Any:
        """As a server has it, over the rooms as they are now."""
        furnish(self.app, self.rooms)
        return build_asgi(self.rooms, app=self.app)

    def client(self, address: str = "192.0.2.7") -> Client:
        transport = httpx.ASGITransport(self.asgi(), client=(address, 50000), raise_app_exceptions=False)
        made = Client(transport=transport, base_url=BASE)
        self.clients.append(made)
        return made

    async def hire(self, *grants: NewGrant | str, user_name: str | None = None) -> tuple[str, CreatedStaff]:
        name = user_name or f"staff-{uuid.uuid4().hex[:8]}"
        made = await create_staff(
            self.owner,
            user_name=name,
            display_name=name.title(),
            password=PASSWORD,
            grants=grants,
            secret_directory=self.secret_directory,
            passwords=QUICK,
        )
        return name, made

    def code(self, staff: CreatedStaff) -> str:
        return pyotp.TOTP(staff.totp_secret).generate_otp(self.clock.now_ns // (30 * NS))

    async def signed_in(self, *grants: NewGrant | str) -> Client:
        name, staff = await self.hire(*grants)
        client = self.client()
        answer = await sign_in(client, name, code=self.code(staff))
        assert answer.status_code == 200, answer.text
        return client

    async def audit(self) -> Sequence[asyncpg.Record]:
        found: Sequence[asyncpg.Record] = await self.owner.fetch("SELECT * FROM audit_entry ORDER BY seq")
        return found


async def sign_in(client: Client, name: str, *, code: str, password: str = PASSWORD) -> httpx.Response:
    answer = await client.post("/v1/sign-in", json={"user_name": name, "password": password, "code": code})
    if answer.status_code == 200:
        client.csrf = answer.json()["csrf_token"]
    return answer


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Without rooms: each office furnishes it with its own. FastAPI takes a quarter of a second to put it together."""
    return make_app()


@pytest.fixture
async def office(app: FastAPI, database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """Ready to be called; nobody is employed yet."""
    secret_directory = tmp_path / "api"
    (tmp_path / "run").mkdir()
    settings = ServeSettings(
        database=database.serve,
        store=StoreSettings(endpoint="", secure=False, bucket="", access_key="", secret_key="", null=True),
        custodian_socket=tmp_path / "run" / "custodian.sock",
        run_directory=tmp_path / "run",
        secret_directory=secret_directory,
        metrics_token="metrics-for-the-test",
    )
    owner = await connect(database.owner)
    clock = Clock()
    async with open_pool(database.serve, application_name="serve", min_size=0) as pool:
        rooms = make_rooms(
            settings,
            pool=pool,
            store=NullStore(),
            key=load_secret_key(secret_directory),
            passwords=QUICK,
            clock_ns=clock,
        )
        clients: list[Client] = []
        yield Office(
            rooms=rooms,
            app=app,
            owner=owner,
            clock=clock,
            secret_directory=secret_directory,
            clients=clients,
        )
        for client in clients:
            await client.aclose()
    await owner.close()
