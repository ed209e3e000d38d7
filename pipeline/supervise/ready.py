"""Waiting until the roles say they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import ServiceError, SetupError
from pipeline.supervise.role_process import RoleProcess
from runtime.pause import pause
from runtime.problems import summary
from runtime.status import statuses


async def wait_ready(
    run_directory: Path, processes: Sequence[RoleProcess], *, timeout_s: float, stop: asyncio.Event | None = None
) -> None:
    """Until all have said "ready" or "degraded", or ``stop`` is set; one that is being restarted has said nothing yet.

    SetupError with what a role asks a person to mend; ServiceError.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    waiting = {process.name for process in processes}
    while waiting and not stop.is_set():
        for process in processes:
            if process.misuse:
                raise SetupError(process.misuse.removeprefix("tallenne: "))
        by_pid = {status.get("pid"): status for status in statuses(run_directory)}
        said = {process.name: by_pid.get(process.pid, {}) for process in processes}
        waiting = {name for name in waiting if said[name].get("state") not in ("ready", "degraded")}
        if waiting and loop.time() > deadline:
            problems = [problem for name in waiting for problem in said[name].get("problems", [])]
            raise ServiceError(
                f"Not ready within {timeout_s:.0f} s: {', '.join(sorted(waiting))}. {summary(problems)}",
                f"Look into the logs beside {run_directory}.",
            )
        await pause(stop, 0.1)
