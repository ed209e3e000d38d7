"""What `tallenne up` does while its roles are loaded, and after that: services, database, roles, keeping all up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alarms.role import run as notify
from api.credentials.accounts import anybody
from domain.errors import StorageError, TallenneError
from pipeline.config.load import Loaded
from pipeline.config.roles import RoleSettings
from pipeline.embedded.process import remembered_port
from pipeline.errors import ServiceError
from pipeline.installation import Installation
from pipeline.running import Running
from pipeline.services import Services, prepare_database
from pipeline.supervise.disk import DiskTroubleError, disk_problem, takes_no_writes
from pipeline.supervise.roles import NOTIFY, Roles
from pipeline.supervise.supervision import ROLE, kept_up
from pipeline.supervise.tell import Tell
from runtime.database import connect
from runtime.pause import pause
from runtime.problems import Problems
from runtime.status import PERIOD_S, StatusFile, read_status_files

if TYPE_CHECKING:
    from pipeline.demo.gym import DemoGym

AGAIN_S: Final = 5.0
_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def started(
    loaded: Loaded, installation: Installation, gym: DemoGym | None, roles: Roles, tell: Tell, stop: asyncio.Event
) -> AsyncIterator[Running]:
    """All of it; stopped on leaving, whatever happened. SetupError, ServiceError, ConfigError, StorageError."""
    services = Services()
    try:
        settings = await _with_room(services, loaded, installation, roles, tell, stop)
        if gym is not None:
            # here: without a demo nothing of it is loaded
            from pipeline.demo.members import ensure_demo_email, import_demo_members

            await import_demo_members(settings, installation, tell.line)
            await ensure_demo_email(settings)
        await roles.start()
        if gym is not None:
            from pipeline.demo.account import ensure_demo_staff

            await ensure_demo_staff(settings, installation)
        async with kept_up(services, installation, roles.processes, tell):
            yield Running(
                installation=installation,
                settings=settings,
                processes=roles.processes,
                gym=gym,
                address=_address(installation),
                tell=tell,
                services=services,
                missing=await _missing(settings),
            )
    finally:
        tell.line("Stopping …")
        await roles.stop()
        await asyncio.to_thread(services.close)
        tell.line("Stopped.")


async def _with_room(
    services: Services, loaded: Loaded, installation: Installation, roles: Roles, tell: Tell, stop: asyncio.Event
) -> RoleSettings:
    """Services and database. While a full disk keeps them from starting it is said, alarmed, and tried again."""
    while True:
        try:
            return await _services(services, loaded, installation, tell)
        except (ServiceError, StorageError, OSError) as error:
            await asyncio.to_thread(services.stop)
            problem = disk_problem(installation.root)
            if problem is None or stop.is_set():
                raise
            tell.line(f"! {error} {problem} It is tried again.")
            roles.processes[NOTIFY].let_go()
            await _wait_for_room(installation, problem, stop)


async def _services(services: Services, loaded: Loaded, installation: Installation, tell: Tell) -> RoleSettings:
    await services.start(loaded, installation, tell.line)
    if loaded.config.serve.port == 0:
        services.endpoints["serve"] = {"port": remembered_port(installation.root / "serve-port")}
    installation.write_endpoints(services.endpoints)
    settings = RoleSettings(loaded=loaded, installation=installation, endpoints=services.endpoints)
    version = await prepare_database(settings, installation, time.time_ns())
    tell.line(f"  database schema {version} is in place")
    return settings


async def _wait_for_room(installation: Installation, problem: DiskTroubleError, stop: asyncio.Event) -> None:
    """Until the next attempt, with a status that says what is waited for."""
    file, problems = StatusFile(installation.run, ROLE), Problems()
    problems.note("disk", problem)
    for _ in range(round(AGAIN_S / PERIOD_S)):
        file.write("starting", problems=problems.present())
        if await pause(stop, PERIOD_S):
            return


async def wait_until_writable(
    loaded: Loaded | None, installation: Installation, tell: Tell, stop: asyncio.Event
) -> None:
    """Return once the disk takes writes. Meanwhile that is said, by alarms, too, which nothing but memory keeps.

    No status can be written: `tallenne status` goes on to say that the roles have died. DiskTroubleError: stopped.
    """
    problem = disk_problem(installation.root)
    tell.line(f"! {problem} It is tried again.")
    over = asyncio.Event()
    telling = asyncio.create_task(_tell_people(loaded, installation, over), name="alarms")
    try:
        while takes_no_writes(installation.root):
            if await pause(stop, PERIOD_S):
                raise problem or DiskTroubleError("The disk takes no writes.")
    finally:
        over.set()
        await telling
    tell.line("  the disk takes writes again")


async def _tell_people(loaded: Loaded | None, installation: Installation, over: asyncio.Event) -> None:
    """The notify role's work, in this process until ``over``; then it leaves what is raised to the role."""
    if loaded is None or (loaded.config.alarms.mail is None and loaded.config.alarms.webhook is None):
        return
    settings = RoleSettings(loaded=loaded, installation=installation, endpoints={}).alarms()
    try:
        await notify(replace(settings, roles=()), over)  # that no role runs follows from this
    except (TallenneError, OSError) as error:
        _log.error("alarms cannot be sent: %s", error)


async def _missing(settings: RoleSettings) -> tuple[str, ...]:
    """Return what still keeps people from using the running installation."""
    conn = await connect(settings.database("owner"))
    try:
        staffed = await anybody(conn)
    finally:
        await conn.close()
    if staffed:
        return ()
    command = f"tallenne staff add NAME --name 'WHAT OTHERS SEE' --role admin --config {settings.loaded.path}"
    return (f"No one can sign in yet. Create the first account in another terminal: {command}",)


def _address(installation: Installation) -> str:
    for status in read_status_files(installation.run):
        if status.get("role") == "serve" and status.get("address"):
            return str(status["address"])
    raise ServiceError("The staff pages have no address.", f"Look into {installation.logs / 'serve.log'}.")
