"""Embedded services in place of those that the configuration does not name: started in parallel, stopped last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pipeline.config.load import Loaded
from pipeline.config.model import Config
from pipeline.config.roles import RoleSettings
from pipeline.embedded.accounts import BUCKET, ROLES
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.broker_log import BrokerLog
from pipeline.embedded.postgres import start_postgres
from pipeline.embedded.process import ServiceProcess
from pipeline.embedded.provision import provision
from pipeline.embedded.store import start_store
from pipeline.installation import Installation
from runtime.database import connect
from storage.catalogue.inventory import apply_inventory
from storage.catalogue.migrate import migrate
from upkeep.backup.writer import forget_slot

Say = Callable[[str], None]


class Service(Protocol):
    """An embedded service that runs."""

    @property
    def process(self) -> ServiceProcess:
        """Its process, which may have children."""
        ...

    async def probe(self) -> None:
        """Make the service do a small part of its work. Raises its error."""
        ...

    def stop(self) -> None:
        """Shut the service down."""
        ...


class Services:
    """Running services. ``close()`` shuts them down."""

    def __init__(self) -> None:
        self._running: dict[str, Service] = {}
        self._starters: dict[str, Callable[[], Service]] = {}
        # A service ends with the thread that started it (the kernel's parent-death signal): these threads stay.
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="services")
        self.endpoints: dict[str, Any] = {}
        self.broker_log: BrokerLog | None = None  # of the embedded one; it is read over its restarts

    @property
    def broker(self) -> Broker | None:
        """The embedded one."""
        return next((service for service in self._running.values() if isinstance(service, Broker)), None)

    def apply(self, config: Config) -> None:
        """Apply the part of a changed configuration that concerns services: the doors' topics at an embedded broker."""
        if self.broker is not None:
            self.broker.allow(_topics(config))
            if self.broker_log is not None:
                self.broker_log.forget_topics()
            self._topics = _topics(config)

    async def start(self, loaded: Loaded, installation: Installation, say: Say) -> None:
        """Start what is not named, all at once. ServiceError, SetupError: nothing is left running."""
        config, root, logs = loaded.config, installation.root, installation.logs
        self._topics = _topics(config)
        wanted = []
        if config.database is None:
            wanted.append(self._start("database", start_postgres, root / "postgres", logs / "database.log", say))
        if config.broker is None:
            self.broker_log = BrokerLog(logs / "broker.log", installation.client_id)
            wanted.append(self._start("broker", self._start_broker, root / "broker", logs / "broker.log", say))
        if config.store is None:
            wanted.append(self._start("store", start_store, root / "store", logs / "store.log", say))
        outcomes = await asyncio.gather(*wanted, return_exceptions=True)
        failed = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
        if failed is not None:
            self.stop()
            raise failed

    async def _start(self, name: str, starter: Callable[..., Any], directory: Any, log: Any, say: Say) -> None:
        self._starters[name] = partial(starter, directory, log=log)
        await self._run(name)
        say(f"  {name} is up")

    def _start_broker(self, directory: Path, *, log: Path) -> Broker:
        return start_broker(directory, log=log, topics=self._topics)

    async def _run(self, name: str) -> None:
        """Start it, on a thread that stays. A start that is under way when we are cancelled is waited for."""
        starting = asyncio.get_running_loop().run_in_executor(self._threads, self._starters[name])
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait((starting,))
            if starting.exception() is None:
                self._running[name] = starting.result()
            raise
        service: Any = starting.result()
        self._running[name] = service
        if name == "database":
            self.endpoints[name] = {"host": str(service.socket_directory), "port": 5432}
        elif name == "broker":
            self.endpoints[name] = {"host": "127.0.0.1", "port": service.port}
        else:
            self.endpoints[name] = {"endpoint": service.settings.endpoint, "bucket": BUCKET}

    async def again(self, name: str, say: Say) -> bool:
        """Start it again after it has ended; whether it now answers elsewhere than before. ServiceError."""
        before = dict(self.endpoints[name])
        await self._run(name)
        say(f"  {name} is up again")
        return bool(before != self.endpoints[name])

    async def end(self, name: str, *, by_force: bool) -> None:
        """End it so that it can be started again. by_force: it hangs, and would not hear of it."""
        service = self[name]
        await asyncio.to_thread(service.process.kill if by_force else service.stop)

    def __getitem__(self, name: str) -> Service:
        return self._running[name]

    @property
    def names(self) -> list[str]:
        """Of those that run here."""
        return list(self._running)

    def stop(self) -> None:
        """Those started last first; they can be started again."""
        while self._running:
            self._running.popitem()[1].stop()

    def close(self) -> None:
        """Stop them for good."""
        self.stop()
        self._threads.shutdown()


async def prepare_database(settings: RoleSettings, installation: Installation, now_ns: int) -> int:
    """Roles, schema, sites, cameras and doors. Returns the schema's version. The database errors of storage."""
    owner = settings.database("owner")
    if settings.loaded.config.database is None:
        passwords = {role: installation.role_password(role) for role in ROLES}
        await provision(replace(owner, database="postgres"), passwords)
    version = await migrate(owner)
    conn = await connect(owner)
    try:
        await apply_inventory(conn, settings.inventory(), now_ns)
        if settings.loaded.config.database is None and settings.loaded.config.backup is None:
            await forget_slot(conn)
    finally:
        await conn.close()
    return version


def _topics(config: Config) -> tuple[str, ...]:
    return tuple(system.topic for system in config.door_system) or ("access/#",)
