"""Waiting until the roles say they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ServiceError, SetupError
from pipeline.supervise.role_process import RoleProcess
from runtime.pause import pause
from runtime.problems import summary
from runtime.status import statuses


def is_up(status: Mapping[str, Any]) -> bool:
    """Whether a role works as far as it can: "degraded" says that another part is away."""
    return status.get("state") in ("ready", "degraded")


async def wait_ready(
    run_directory: Path,
    processes: Sequence[RoleProcess],
    *,
    timeout_s: float,
    ready: Callable[[Mapping[str, Any]], bool] = is_up,
    stop: asyncio.Event | None = None,
) -> None:
    """Until the statuses of all are ``ready``, or ``stop`` is set; one that is being restarted has none yet.

    SetupError with what a role asks the operator to correct; ServiceError.
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
        waiting = {name for name in waiting if not ready(said[name])}
        if waiting and loop.time() > deadline:
            problems = [problem for name in waiting for problem in said[name].get("problems", [])]
            raise ServiceError(
                f"Not ready within {timeout_s:.0f} s: {', '.join(sorted(waiting))}. {summary(problems)}",
                f"Look into the logs beside {run_directory}.",
            )
        await pause(stop, 0.1)
