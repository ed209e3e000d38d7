"""The processes of all roles: loaded ahead, let go once the services they need run, shut down in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from pipeline.config.load import Loaded
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from pipeline.supervise.ready import wait_ready
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.tell import Tell

READY_S: Final = 60.0
_COMMANDS: Final = {"demo": "demo-gym", "backup": "backup-role"}
NOTIFY: Final = "notify"
"""The others do not wait for it, and it need not watch them start."""


class Roles:
    """``load()``, then ``start()``; ``stop()`` shuts down those that were started."""

    def __init__(self, loaded: Loaded, installation: Installation, tell: Tell) -> None:
        self.processes: dict[str, RoleProcess] = {}
        self._loaded, self._installation, self._tell = loaded, installation, tell
        self._tasks: list[asyncio.Task[None]] = []

    def load(self, *, demo: bool) -> None:
        """Start the processes, which load their modules and wait."""
        names = ["serve", "custodian", *(["demo"] if demo else []), "index", "keeper", "live"]
        names += ["backup"] if self._loaded.config.backup is not None else []
        for name in (*ingest_names(self._loaded, self._installation), *names, NOTIFY):
            self.processes[name] = self._process(name)
            self._tasks.append(asyncio.create_task(self.processes[name].run(), name=f"role {name}"))

    async def start(self) -> None:
        """Let them go and wait until all are ready. SetupError, ServiceError."""
        others = [process for name, process in self.processes.items() if name != NOTIFY]
        for process in others:
            process.let_go()
        await wait_ready(self._installation.run, others, timeout_s=READY_S)
        self.processes[NOTIFY].let_go()
        self._tell.line("  roles are ready: " + ", ".join(process.name for process in others))

    async def stop(self) -> None:
        """Those that record first, the custodian last."""
        if NOTIFY in self.processes:  # before all: that the others stop is nothing to raise
            await self.processes[NOTIFY].stop()
        await asyncio.gather(*(process.stop() for name, process in self.processes.items() if name.startswith("ingest")))
        for name in ("backup", "keeper", "live", "serve", "index", "demo", "custodian"):
            if name in self.processes:
                await self.processes[name].stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _process(self, name: str) -> RoleProcess:
        installation = self._installation
        command, _, worker = name.partition(" ")
        command = _COMMANDS.get(command, command)
        arguments = [command, "--config", str(self._loaded.path), "--data", str(installation.root)]
        if worker:
            arguments += ["--worker", worker]
        log = installation.logs / f"{name.replace(' ', '-')}.log"
        return RoleProcess(name, arguments, log, installation.scratch, self._tell)


def ingest_names(loaded: Loaded, installation: Installation) -> Sequence[str]:
    """A process each: "ingest", "ingest 1", … More than configured while spools of earlier ones hold something."""
    spool = RoleSettings(loaded=loaded, installation=installation, endpoints={}).spool_of(0)
    left = [path for path in spool.parent.glob(f"{spool.name}-*") if any((path / "segments").glob("*"))]
    numbers = [int(path.name.rpartition("-")[2]) for path in left if path.name.rpartition("-")[2].isdigit()]
    workers = max([loaded.config.ingest.workers, *(number + 1 for number in numbers)])
    return ["ingest", *(f"ingest {worker}" for worker in range(1, workers))]
