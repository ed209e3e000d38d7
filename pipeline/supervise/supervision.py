"""What ``tallenne up`` does while everything runs: it keeps the services working, and writes down what it sees.

Its status file has ``services`` and ``roles``, each {name: {"state", "restarts", ...}}, and the problems of both.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from domain.errors import RetryableError, TallenneError
from pipeline.installation import Installation
from pipeline.services import Services
from pipeline.supervise.disk import disk_problem
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.service_monitor import LOOK_S, ServiceMonitor
from pipeline.supervise.tell import Tell
from runtime.problems import Problems
from runtime.status import PERIOD_S, StatusFile
from runtime.supervise import supervised

ROLE: Final = "up"
_DIRECTORIES: Final = {"database": "postgres"}  # the others have their own name


class RestartingError(RetryableError):
    """A role ends again and again."""


@contextlib.asynccontextmanager
async def kept_up(
    services: Services, installation: Installation, processes: Mapping[str, RoleProcess], tell: Tell
) -> AsyncIterator[None]:
    """Embedded services that end, hang or refuse are started again. Roles reconnect; after a move they start anew."""
    supervision = _Supervision(services, installation, processes, tell)
    async with supervised(Problems()) as tasks:
        for name in services.names:
            tasks.every(LOOK_S, name, partial(supervision.look, name), expected=(TallenneError, OSError), restart=True)
        tasks.every(PERIOD_S, "status", supervision.write, restart=True)
        try:
            yield
        finally:
            supervision.status_file.remove()


class _Supervision:
    def __init__(
        self, services: Services, installation: Installation, processes: Mapping[str, RoleProcess], tell: Tell
    ) -> None:
        self._services, self._installation, self._processes = services, installation, processes
        self.status_file = StatusFile(installation.run, ROLE)
        self._problems = Problems()
        self._monitors = {
            name: ServiceMonitor(name, services, self._directory(name), tell.line) for name in services.names
        }
        for name, monitor in self._monitors.items():
            self._problems.watch(name, monitor.problem)
        for process in processes.values():
            self._problems.watch(f"role {process.name}", partial(_restarting, process))
        self._problems.watch("disk", partial(disk_problem, installation.root))
        if (log := services.broker_log) is not None:
            self._problems.watch("topics", log.discarded)
            self._problems.watch("taken over", log.taken_over)

    async def look(self, name: str) -> None:
        """At one service. ServiceError: it did not come up again."""
        if await self._monitors[name].look():
            self._installation.write_endpoints(self._services.endpoints)
            for process in self._processes.values():
                process.restart()

    async def write(self) -> None:
        """Write the status file."""
        problems = self._problems.present()
        self.status_file.write(
            "degraded" if problems else "ready",
            problems=problems,
            services={name: monitor.status() for name, monitor in self._monitors.items()},
            roles={process.name: _role_status(process) for process in self._processes.values()},
        )

    def _directory(self, service: str) -> Path:
        return self._installation.root / _DIRECTORIES.get(service, service)


def _role_status(process: RoleProcess) -> dict[str, Any]:
    return {"state": "running" if process.pid is not None else "starting", "restarts": process.restarts.total}


def _restarting(process: RoleProcess) -> TallenneError | None:
    if not process.restarts.often(time.monotonic()):
        return None
    return RestartingError(
        f"The role {process.name} ends again and again, the last time by {process.end}.",
        f"Look into logs/{process.log.name}; it is started again meanwhile.",
    )
