"""Background jobs: bounded, with progress, cancelled at the end of the role."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.http.problems import Problem

AT_ONCE: Final = 2
WAITING_MAX: Final = 16


@dataclass(slots=True, kw_only=True)
class Progress:
    """Bytes done, and their total; 0 of 0 while unknown."""

    done: int = 0
    total: int = 0


class Jobs:
    """Background jobs: two run at once and sixteen are held in all; problem 429 beyond. For one event loop."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._progress: dict[UUID, Progress] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def at_work(self) -> dict[UUID, Progress]:
        """Return the present jobs. Call it before reading rows: a job that ends in between has stored its result."""
        return dict(self._progress)

    def require_room(self) -> None:
        """Problem 429: there are too many jobs."""
        if len(self._tasks) >= WAITING_MAX:
            raise Problem(429, "busy", "Too much is being prepared.", "Wait a little.", headers={"Retry-After": "30"})

    def start(self, job_id: UUID, work: Callable[[Progress], Awaitable[None]]) -> None:
        """Start a job, unless it runs already. ``work`` handles its own errors."""
        if job_id in self._tasks:
            return
        self.require_room()
        progress = self._progress[job_id] = Progress()
        task = self._tasks[job_id] = asyncio.create_task(self._run(work, progress), name=f"job {job_id}")
        task.add_done_callback(lambda _: self._ended(job_id))

    async def close(self) -> None:
        """Cancel all jobs, at the end of the role. They have to be requested again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[Progress], Awaitable[None]], progress: Progress) -> None:
        async with self._gate:
            await work(progress)

    def _ended(self, job_id: UUID) -> None:
        del self._tasks[job_id], self._progress[job_id]
