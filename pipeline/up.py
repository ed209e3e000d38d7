"""`tallenne up`: services, database, roles, all from one command; and all stopped again by Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.credentials.accounts import anybody
from pipeline.config.load import Loaded, load
from pipeline.config.roles import RoleSettings
from pipeline.demo.account import ensure_demo_staff
from pipeline.demo.gym import DemoGym, make_demo
from pipeline.demo.members import import_demo_members
from pipeline.embedded.process import remembered_port
from pipeline.errors import ServiceError, SetupError
from pipeline.installation import Installation
from pipeline.reload import Changes
from pipeline.running import Running
from pipeline.services import Services, prepare_database
from pipeline.signals import stop_event
from pipeline.supervise.display import camera_lines, problem_lines, summary_line
from pipeline.supervise.leftovers import end_leftovers
from pipeline.supervise.ready import wait_ready
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.supervision import kept_up
from pipeline.supervise.tell import Tell
from runtime.database import connect
from runtime.pause import pause
from runtime.status import read_status_files

DEFAULT_DATA = Path("data")
_READY_S = 60.0
_SHOW_EVERY_S = 1.0
_SHOW_EVERY_WITHOUT_TERMINAL_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What the command line asked for."""

    config: Path | None  # None: the demo
    data: Path | None
    cameras: int | None = None


@contextlib.asynccontextmanager
async def running(options: UpOptions, tell: Tell) -> AsyncIterator[Running]:
    """Start everything; stop it on leaving, whatever happened. SetupError, ServiceError, ConfigError."""
    loaded, installation, gym = await _opened(options, tell)
    services = Services()
    roles = _Roles(loaded, installation, tell)
    tell.line(f"Tallenne starts on {installation.root}")
    try:
        await services.start(loaded, installation, tell.line)
        if loaded.config.serve.port == 0:
            services.endpoints["serve"] = {"port": remembered_port(installation.root / "serve-port")}
        installation.write_endpoints(services.endpoints)
        settings = RoleSettings(loaded=loaded, installation=installation, endpoints=services.endpoints)
        version = await prepare_database(settings, installation, time.time_ns())
        tell.line(f"  database schema {version} is in place")
        if gym is not None:
            await import_demo_members(settings, installation, tell.line)
        await roles.start(["custodian", *(["demo"] if gym else []), "index", "serve", *ingest_names(settings)])
        if gym is not None:
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
        await asyncio.to_thread(services.stop)
        tell.line("Stopped.")


async def _opened(options: UpOptions, tell: Tell) -> tuple[Loaded, Installation, DemoGym | None]:
    """Read the configuration, or make the demo's, and take the data directory. SetupError, ConfigError."""
    loaded = load(options.config) if options.config else None
    if loaded and loaded.config.apart:
        raise SetupError(
            f"{loaded.path} describes roles under users, or on machines, of their own (run, roles, custodian.users).",
            "Start each by itself, under its user: `tallenne custodian` and so on; see pipeline/APART.md.",
        )
    root = options.data or (loaded.resolve(loaded.config.data) if loaded and loaded.config.data else DEFAULT_DATA)
    installation = Installation(root.absolute())
    installation.prepare()
    installation.lock()
    if await asyncio.to_thread(end_leftovers, installation.root):
        tell.line("  roles that an earlier run had left behind were ended")
    for left_over in installation.run.glob("*-*.json"):
        left_over.unlink()
    if loaded is not None:
        return loaded, installation, None
    gym, path = make_demo(installation, options.cameras)
    return load(path), installation, gym


class _Roles:
    """The roles' processes. ``stop()`` ends those that were started, in good order."""

    def __init__(self, loaded: Loaded, installation: Installation, tell: Tell) -> None:
        self.processes: dict[str, RoleProcess] = {}
        self._loaded, self._installation, self._tell = loaded, installation, tell
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, names: Sequence[str]) -> None:
        """Start them and wait until all are ready. SetupError, ServiceError."""
        for name in names:
            self._start(name)
        await wait_ready(self._installation.run, list(self.processes.values()), timeout_s=_READY_S)
        self._start("notify")  # the others do not wait for it, and it need not watch them start
        self._tell.line("  roles are ready: " + ", ".join(names))

    async def stop(self) -> None:
        """Those that record first, the custodian last."""
        if "notify" in self.processes:  # before all: that the others stop is nothing to raise
            await self.processes["notify"].stop()
        await asyncio.gather(*(process.stop() for name, process in self.processes.items() if name.startswith("ingest")))
        for name in ("serve", "index", "demo", "custodian"):
            if name in self.processes:
                await self.processes[name].stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, name: str) -> None:
        self.processes[name] = _role(name, self._loaded, self._installation, self._tell)
        self._tasks.append(asyncio.create_task(self.processes[name].run(), name=f"role {name}"))


async def _missing(settings: RoleSettings) -> tuple[str, ...]:
    """What keeps people from using it, though everything runs."""
    conn = await connect(settings.database("owner"))
    try:
        staffed = await anybody(conn)
    finally:
        await conn.close()
    if staffed:
        return ()
    command = f"tallenne staff add NAME --name 'WHAT OTHERS SEE' --role admin --config {settings.loaded.path}"
    return (f"Nobody can sign in yet. Make the first account in another terminal: {command}",)


def _role(name: str, loaded: Loaded, installation: Installation, tell: Tell) -> RoleProcess:
    command, _, worker = name.partition(" ")
    command = "demo-gym" if command == "demo" else command
    arguments = [command, "--config", str(loaded.path), "--data", str(installation.root)]
    if worker:
        arguments += ["--worker", worker]
    return RoleProcess(name, arguments, installation.logs / f"{name.replace(' ', '-')}.log", installation.scratch, tell)


def ingest_names(settings: RoleSettings) -> list[str]:
    """A process each: "ingest", "ingest 1", … More than configured while spools of earlier ones hold something."""
    spool = settings.ingest().spool.directory
    left = [path for path in spool.parent.glob(f"{spool.name}-*") if any((path / "segments").glob("*"))]
    numbers = [int(path.name.rpartition("-")[2]) for path in left if path.name.rpartition("-")[2].isdigit()]
    workers = max([settings.loaded.config.ingest.workers, *(number + 1 for number in numbers)])
    return ["ingest", *(f"ingest {worker}" for worker in range(1, workers))]


def _address(installation: Installation) -> str:
    for status in read_status_files(installation.run):
        if status.get("role") == "serve" and status.get("address"):
            return str(status["address"])
    raise ServiceError("The staff pages have no address.", f"Look into {installation.logs / 'serve.log'}.")


async def up(options: UpOptions, tell: Tell, banner: Callable[[Running], list[str]]) -> None:
    """Until Ctrl-C or SIGTERM."""
    stop = stop_event()
    async with running(options, tell) as everything:
        for line in banner(everything):
            tell.line(line)
        shown_s = 0.0
        changed = Changes(everything, stop)
        while not stop.is_set():
            now_s = time.monotonic()
            every_s = _SHOW_EVERY_S if tell.terminal else _SHOW_EVERY_WITHOUT_TERMINAL_S
            await changed.look()
            if now_s - shown_s >= every_s:
                shown_s = now_s
                found = everything.statuses()
                tell.live(
                    [*camera_lines(found), summary_line(found), *problem_lines(found, everything.installation.root)]
                )
            await pause(stop, 0.5)
