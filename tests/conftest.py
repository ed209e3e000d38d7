"""Real services for the tests: started once a session, a fresh database for every test that asks for one."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.embedded.accounts import ROLES
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.provision import provision
from pipeline.embedded.store import Store, start_store
from pipeline.smoke.lateness import Lateness
from runtime.database import connect
from runtime.settings import DatabaseSettings, StoreSettings
from storage.catalogue.migrate import migrate
from tests.support.order import Scheduling, known, ordered
from tests.support.pages import MARKERS, is_named
from tests.support.scans.versions import SCANS, using

_ROOM_BYTES = 6 << 30  # of six workers
_PASSWORDS = {role: f"test-{role}" for role in ROLES}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``-m trust`` and ``-m law``: what docs/TRUST.md and docs/LAW.md name. The order: see tests.support.order."""
    for item in items:
        for marker, page in MARKERS.items():
            if is_named(page, item.nodeid):
                item.add_marker(marker)
    items[:] = ordered([(item.nodeid.partition("::")[0], item) for item in items], known())


def pytest_collection_finish() -> None:
    """What was collected stays until the end. No search for garbage looks through it again, which takes 0.3 s each."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """For ``--dist loadfile``: see tests.support.order."""
    return Scheduling(config, log, known()) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="module", params=SCANS)
def both_scans(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs a module's tests twice: with packets taken by Python, and by what was compiled (ingest/native)."""
    with using(request.param):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A migrated, empty database of its own, by role."""

    owner: DatabaseSettings
    ingest: DatabaseSettings
    index: DatabaseSettings
    custodian: DatabaseSettings
    serve: DatabaseSettings
    keeper: DatabaseSettings


@pytest.fixture
def late() -> Iterator[Lateness]:
    """How late this machine ran what was due since the test began."""
    with Lateness() as watching:
        yield watching


@pytest.fixture(scope="session")
def service_directory() -> Iterator[Path]:
    """Short, since a Unix socket's path may have 107 bytes; private; gone afterwards.

    In memory where there is room: a database is 360 files, which some disks take half a second to make, with as much
    CPU time, and a test's has been dropped before any of it needs to be on a disk. Not where TMPDIR says another place.
    """
    made = Path(tempfile.mkdtemp(prefix="tallenne-test-", dir=_in_memory()))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _in_memory() -> Path | None:
    shared = Path("/dev/shm")
    roomy = (
        "TMPDIR" not in os.environ
        and os.access(shared, os.W_OK | os.X_OK)
        and shutil.disk_usage(shared).free > _ROOM_BYTES
    )
    return shared if roomy else None


@pytest.fixture(scope="session")
def postgres(service_directory: Path) -> Iterator[Postgres]:
    """A running cluster; not durable."""
    running = start_postgres(service_directory / "pg", log=service_directory / "pg.log", durable=False)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """The name of a migrated database that each test's own is copied from."""

    async def make() -> None:
        await provision(postgres.settings(), _PASSWORDS, "template_tallenne")
        await migrate(postgres.settings(database="template_tallenne"))

    asyncio.run(make())
    return "template_tallenne"


@pytest.fixture
async def database(postgres: Postgres, template: str) -> AsyncIterator[Database]:
    """Fresh for this test, dropped afterwards."""
    async with fresh_database(postgres, template) as made:
        yield made


@pytest.fixture
async def other_database(postgres: Postgres, template: str) -> AsyncIterator[Database]:
    """A second one, to take the place of a lost one."""
    async with fresh_database(postgres, template) as made:
        yield made


@asynccontextmanager
async def fresh_database(postgres: Postgres, template: str) -> AsyncIterator[Database]:
    """A copy of the database ``template``, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    conn = await connect(postgres.settings())
    await conn.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    for role in ROLES:
        await conn.execute(f"GRANT CONNECT ON DATABASE {name} TO {role}")
    owner = postgres.settings(database=name)
    roles = {role: replace(owner, user=role, password=_PASSWORDS[role]) for role in ROLES}
    yield Database(
        owner=owner,
        ingest=roles["tallenne_ingest"],
        index=roles["tallenne_index"],
        custodian=roles["tallenne_custodian"],
        serve=roles["tallenne_serve"],
        keeper=roles["tallenne_keeper"],
    )
    await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await conn.close()


@pytest.fixture(scope="session")
def broker(service_directory: Path) -> Iterator[Broker]:
    """A running MQTT broker with users tallenne_index and tallenne_doors."""
    running = start_broker(service_directory / "broker", log=service_directory / "broker.log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def store_server(service_directory: Path) -> Iterator[Store]:
    """A running S3 store."""
    running = start_store(service_directory / "store", log=service_directory / "store.log")
    yield running
    running.stop()


@pytest.fixture
def store(store_server: Store) -> StoreSettings:
    """A bucket name of this test's own, not made yet."""
    return replace(store_server.settings, bucket=f"test-{uuid.uuid4().hex[:16]}")


@pytest.fixture
def keeper_store(store: StoreSettings, store_server: Store) -> StoreSettings:
    """The same bucket, for the only user that may delete footage."""
    keys = store_server.keeper
    return replace(store, access_key=keys.access_key, secret_key=keys.secret_key)
