"""The test stand: embedded services, an inventory of cameras and doors, and the product's roles as children."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.frame.process import Child, ChildError, child
from benchmarks.frame.role_child import settings_to_json
from domain.ids import CameraId, DoorId, SiteId, camera_id_of, door_id_of, site_id_of
from domain.time import NS
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.postgres import ROLES, Postgres, start_postgres
from pipeline.embedded.provision import provision
from pipeline.embedded.store import Store, start_store
from runtime.database import connect
from runtime.settings import CustodianSettings, DatabaseSettings
from runtime.status import read_status_files
from storage.catalogue.inventory import CameraEntry, DoorEntry, Inventory, MappingEntry, SiteEntry, apply_inventory
from storage.catalogue.migrate import migrate

SITE = "bench"
SITE_ID: SiteId = site_id_of(SITE)
BEFORE_NS, AFTER_NS = 5 * NS, 10 * NS
_DATABASE = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Running services. PostgreSQL always; broker and store when they were asked for."""

    directory: Path
    postgres: Postgres
    owner: DatabaseSettings
    broker: Broker | None
    store: Store | None
    cameras: tuple[CameraId, ...]
    doors: Mapping[str, DoorId]

    @property
    def run_directory(self) -> Path:
        """Where the roles write their status files."""
        return self.directory / "run"

    @property
    def custodian_socket(self) -> Path:
        """The custodian's Unix socket."""
        return self.run_directory / "custodian.sock"

    def database(self, role: str) -> DatabaseSettings:
        """role: "ingest", "index", "custodian", "serve"."""
        return replace(self.owner, user=f"tallenne_{role}", password=f"bench-{role}")

    def service_pids(self) -> dict[str, list[int]]:
        """By role, for frame/accounting.py."""
        found = {"database": [self.postgres.process.pid]}
        if self.broker is not None:
            found["broker"] = [self.broker.process.pid]
        if self.store is not None:
            found["store"] = [self.store.process.pid]
        return found

    def status(self, role: str) -> dict[str, Any]:
        """A role's last words; empty before the first."""
        return next((one for one in read_status_files(self.run_directory) if one.get("role") == role), {})

    def wait(self, role: str, holds: Callable[[dict[str, Any]], bool], *, child: Child, timeout_s: float) -> None:
        """Until the role's status says so. ChildError when it does not in time, or when the role ended."""
        deadline = time.monotonic() + timeout_s
        while not holds(self.status(role)):
            child.check()
            if time.monotonic() > deadline:
                said = [problem["what"] for problem in self.status(role).get("problems", [])][:3]
                raise ChildError(f"The role {role} was not ready within {timeout_s:.0f} s.", " ".join(said))
            time.sleep(0.05)


@contextmanager
def open_stand(
    directory: Path, *, cameras: int, doors: int = 0, broker: bool = False, store: bool = False
) -> Iterator[Stand]:
    """Everything durable, as in production; made new in ``directory``, stopped afterwards.

    Door n is seen by two cameras. PostgreSQL notes the time of every commit, so that latencies can be read from rows.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    (directory / "run").mkdir()
    with ExitStack() as stack:
        postgres = _postgres(directory, stack)
        owner = postgres.settings(database=_DATABASE)
        running_broker = running_store = None
        if broker:
            running_broker = start_broker(directory / "broker", log=directory / "broker.log")
            stack.callback(running_broker.stop)
        if store:
            running_store = start_store(directory / "store", log=directory / "store.log")
            stack.callback(running_store.stop)
        inventory = _inventory(cameras, doors)
        asyncio.run(_prepare(postgres, owner, inventory))
        yield Stand(
            directory=directory,
            postgres=postgres,
            owner=owner,
            broker=running_broker,
            store=running_store,
            cameras=tuple(camera.camera_id for camera in inventory.cameras),
            doors={door.external_id: door.door_id for door in inventory.doors},
        )


@contextmanager
def role(
    stand: Stand, name: str, settings: Any, *, core: int | None, ready: Callable[[dict[str, Any]], bool] | None = None
) -> Iterator[Child]:
    """A role in its own process, pinned to ``core``; within the block once its status satisfies ``ready``."""
    parameters = {"role": name, "settings": settings_to_json(settings)}
    with child(name, "benchmarks.frame.role_child", [], core=core, parameters=parameters) as running:
        running.wait_for("ready", 30)
        if ready is not None:
            stand.wait(name, ready, child=running, timeout_s=90)
        yield running


@contextmanager
def custodian(stand: Stand, *, core: int | None) -> Iterator[Child]:
    """A real one, with keys for every camera for the next hours."""
    settings = CustodianSettings(
        database=stand.database("custodian"),
        directory=stand.directory / "custodian",
        socket=stand.custodian_socket,
        run_directory=stand.run_directory,
        audit_heads=stand.directory / "audit-heads",
        allowed_uids=(os.geteuid(),),
        keys_ahead_hours=3,
    )
    with role(stand, "custodian", settings, core=core, ready=lambda said: said.get("state") == "ready") as running:
        yield running


def _postgres(directory: Path, stack: ExitStack) -> Postgres:
    """Started twice: noting commit times takes effect with a start only."""
    place, log = directory / "postgres", directory / "postgres.log"
    first = start_postgres(place, log=log)
    try:
        asyncio.run(_note_commit_times(first))
    finally:
        first.stop()
    running = start_postgres(place, log=log)
    stack.callback(running.stop)
    return running


async def _note_commit_times(postgres: Postgres) -> None:
    conn = await connect(postgres.settings())
    await conn.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await conn.close()


async def _prepare(postgres: Postgres, owner: DatabaseSettings, inventory: Inventory) -> None:
    await provision(postgres.settings(), {role: role.replace("tallenne_", "bench-") for role in ROLES}, _DATABASE)
    await migrate(owner)
    conn = await connect(owner)
    await apply_inventory(conn, inventory, time.time_ns())
    await conn.close()


def _inventory(cameras: int, doors: int) -> Inventory:
    names = [f"camera {number}" for number in range(cameras)]
    ids = [camera_id_of(SITE_ID, name) for name in names]
    words = [f"door-{number}" for number in range(doors)]
    door_ids = [door_id_of(SITE_ID, word) for word in words]
    mappings = [
        MappingEntry(door_id=door, camera_id=ids[(2 * number + k) % cameras], before_ns=BEFORE_NS, after_ns=AFTER_NS)
        for number, door in enumerate(door_ids)
        for k in range(min(2, cameras))
    ]
    return Inventory(
        sites=(SiteEntry(site_id=SITE_ID, name=SITE, time_zone="UTC"),),
        cameras=tuple(
            CameraEntry(camera_id=camera, site_id=SITE_ID, name=name, retention_s=72 * 3600)
            for camera, name in zip(ids, names, strict=True)
        ),
        doors=tuple(
            DoorEntry(door_id=door, site_id=SITE_ID, name=word, external_id=word)
            for door, word in zip(door_ids, words, strict=True)
        ),
        mappings=tuple(mappings),
    )
