"""The test stand: embedded services, an inventory of cameras and doors, and the product's roles as children."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.frame.process import Child, ChildError, child
from benchmarks.frame.role_child import to_json
from benchmarks.frame.shipped import SITE, shipped
from domain.ids import CameraId, DoorId, SiteId, site_id_of
from pipeline.config.policies import policy_of
from pipeline.config.roles import RoleSettings
from pipeline.embedded.accounts import BUCKET
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.store import Store, start_store
from pipeline.services import prepare_database
from runtime.database import connect
from runtime.settings import DatabaseSettings
from runtime.status import read_status_files

SITE_ID: SiteId = site_id_of(SITE)
_READY_S: Final = 90.0
_KEYS_S: Final = 2.0  # for the keys of a camera


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Running services. PostgreSQL always; broker and store when they were asked for.

    shipped: the settings of each role, as `tallenne up` makes them
    """

    shipped: RoleSettings
    postgres: Postgres
    broker: Broker | None
    store: Store | None
    cameras: tuple[CameraId, ...]
    doors: Mapping[str, DoorId]

    @property
    def directory(self) -> Path:
        """Of the installation."""
        return self.shipped.installation.root

    @property
    def owner(self) -> DatabaseSettings:
        """The owner's way into the database."""
        return self.database("owner")

    def database(self, role: str) -> DatabaseSettings:
        """role: "owner", "ingest", "index", "custodian", "serve"."""
        return self.shipped.database(role)

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
        return next((one for one in read_status_files(self.shipped.run_directory) if one.get("role") == role), {})

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
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = shipped(directory, cameras=cameras, doors=doors, store=store)
    logs, endpoints = settings.installation.logs, settings.endpoints
    with ExitStack() as stack:
        postgres = _postgres(directory, logs / "database.log", stack)
        endpoints["database"] = {"host": str(postgres.socket_directory), "port": 5432}
        running_broker = running_store = None
        if broker:
            running_broker = start_broker(directory / "broker", log=logs / "broker.log")
            stack.callback(running_broker.stop)
            endpoints["broker"] = {"host": "127.0.0.1", "port": running_broker.port}
        if store:
            running_store = start_store(directory / "store", log=logs / "store.log")
            stack.callback(running_store.stop)
            endpoints["store"] = {"endpoint": running_store.settings.endpoint, "bucket": BUCKET}
        asyncio.run(prepare_database(settings, settings.installation, time.time_ns()))
        inventory = settings.inventory()
        yield Stand(
            shipped=settings,
            postgres=postgres,
            broker=running_broker,
            store=running_store,
            cameras=tuple(camera.camera_id for camera in inventory.cameras),
            doors={door.external_id: door.door_id for door in inventory.doors},
        )


@contextmanager
def role(
    stand: Stand,
    name: str,
    settings: Any,
    *,
    core: int | None,
    ready: Callable[[dict[str, Any]], bool] | None = None,
    ready_s: float = _READY_S,
    writes: Sequence[Path] = (),
) -> Iterator[Child]:
    """A role in its own process, pinned to ``core``; within the block once its status satisfies ``ready``.

    writes: directories of its own that the configuration does not name
    """
    policy = policy_of(name, stand.shipped)
    log = stand.shipped.installation.logs / f"{name}.log"
    parameters = {
        "role": name,
        "settings": to_json(settings),
        "policy": to_json(replace(policy, writes=(*policy.writes, *writes))),
        "log": str(log),
    }
    with child(name, "benchmarks.frame.role_child", [], core=core, parameters=parameters) as running:
        try:
            running.wait_for("ready", 30)
            if ready is not None:
                stand.wait(name, ready, child=running, timeout_s=ready_s)
        except ChildError as error:
            raise ChildError(error.what, _last_words(log)) from error
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGTERM)


@contextmanager
def custodian(stand: Stand, *, core: int | None) -> Iterator[Child]:
    """A real one; within the block once all keys of every camera are made."""
    settings = stand.shipped.custodian()
    if stand.store is None:
        settings = replace(settings, store=None)
    cameras = len(stand.cameras)

    def supplied(said: dict[str, Any]) -> bool:
        return said.get("state") == "ready" and said["hour_keys_made"] >= cameras * settings.keys_ahead_hours

    ready_s = _READY_S + _KEYS_S * cameras
    with role(stand, "custodian", settings, core=core, ready=supplied, ready_s=ready_s) as running:
        yield running


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " ".join(lines[-3:])


def _postgres(directory: Path, log: Path, stack: ExitStack) -> Postgres:
    """Started twice: noting commit times takes effect with a start only."""
    place = directory / "postgres"
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
