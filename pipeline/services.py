"""The services that the configuration does not name are started here, side by side, and stopped last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from pipeline.config.load import Loaded
from pipeline.config.model import Config
from pipeline.config.roles import RoleSettings
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.postgres import ROLES, start_postgres
from pipeline.embedded.process import ServiceProcess
from pipeline.embedded.provision import provision
from pipeline.embedded.store import BUCKET, start_store
from pipeline.installation import Installation
from runtime.database import connect
from storage.catalogue.inventory import apply_inventory
from storage.catalogue.migrate import migrate

Say = Callable[[str], None]


class _Service(Protocol):
    @property
    def process(self) -> ServiceProcess: ...
    def stop(self) -> None: ...


class Services:
    """Running services. ``stop()`` ends them in good order."""

    def __init__(self) -> None:
        self._running: list[_Service] = []
        # A service ends with the thread that started it (the kernel's parent-death signal): these threads stay.
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="services")
        self.endpoints: dict[str, Any] = {}

    @property
    def broker(self) -> Broker | None:
        """The embedded one."""
        return next((service for service in self._running if isinstance(service, Broker)), None)

    def apply(self, config: Config) -> None:
        """What of a changed configuration concerns services: the doors' topics at an embedded broker."""
        if self.broker is not None:
            self.broker.allow(_topics(config))

    async def start(self, loaded: Loaded, installation: Installation, say: Say) -> None:
        """Start what is not named, all at once. ServiceError, SetupError: nothing is left running."""
        config, root, logs = loaded.config, installation.root, installation.logs
        wanted = []
        if config.database is None:
            wanted.append(self._start("database", start_postgres, root / "postgres", logs / "postgres.log", say))
        if config.broker is None:
            starter = partial(start_broker, topics=_topics(config))
            wanted.append(self._start("broker", starter, root / "broker", logs / "broker.log", say))
        if config.store is None:
            wanted.append(self._start("store", start_store, root / "store", logs / "store.log", say))
        outcomes = await asyncio.gather(*wanted, return_exceptions=True)
        failed = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
        if failed is not None:
            self.stop()
            raise failed

    async def _start(self, name: str, starter: Callable[..., Any], directory: Any, log: Any, say: Say) -> None:
        loop = asyncio.get_running_loop()
        service = await loop.run_in_executor(self._threads, lambda: starter(directory, log=log))
        self._running.append(service)
        if name == "database":
            self.endpoints[name] = {"host": str(service.socket_directory), "port": 5432}
        elif name == "broker":
            self.endpoints[name] = {"host": "127.0.0.1", "port": service.port}
        else:
            self.endpoints[name] = {"endpoint": service.settings.endpoint, "bucket": BUCKET}
        say(f"  {name} is up")

    def ended(self) -> str | None:
        """The name of a service that ended by itself, if one did."""
        return next((item.process.name for item in self._running if not item.process.alive()), None)

    def stop(self) -> None:
        """Those started last first."""
        while self._running:
            self._running.pop().stop()
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
    finally:
        await conn.close()
    return version


def _topics(config: Config) -> tuple[str, ...]:
    return tuple(system.topic for system in config.door_system) or ("access/#",)
