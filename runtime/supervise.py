"""The supervisor of a role's tasks. Every role runs its work under one, so that all fail, recover and stop alike.

    async with supervised(problems, grace_s=3) as tasks:
        tasks.once("intake key", fetch)            # tried again until it returns
        tasks.every(2.0, "hour keys", make_keys)   # a pause after each round
        tasks.forever("tagger", tag, drain=True)   # started again whenever it ends
        await stop.wait()                          # the body: the role's sources, until it is time to stop

What a task may raise:

- one of ``expected``: noted as the problem of the task, which is tried again after a back-off;
- any other TallenneError: the operator must correct it. It ends the role, and leaves ``supervised()`` as itself;
- any other exception: a programming error, logged with its traceback. It ends the role; with ``restart`` it is noted,
  and the task alone is started again, because the others' work is worth more than a clean start.

The problem of a task clears by itself when a round of it returns. That of work without end clears when it has run for
a while, or when the work says so by ``problems.clear()`` with the task's name.

A round of periodic work that awaits something for ever would go unnoticed: ``stuck()`` names it after ``ROUND_S``, and
the role's heartbeat stops for it (``pipeline/role_command.py``).

The end: the body returns; tasks with ``drain`` get ``grace_s`` to finish, the others are cancelled at once, and so are
those that overrun. Periodic work is not begun again meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypedDict, Unpack
from weakref import WeakSet

from domain.errors import MisuseError, RetryableError, TallenneError
from runtime.backoff import Backoff
from runtime.pause import pause
from runtime.problems import Problems

_log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]
Errors = tuple[type[Exception], ...]

EXPECTED: Final[Errors] = (RetryableError, OSError)
FIRST_S: Final = 0.5
LONGEST_S: Final = 5.0
STEADY_S: Final = 60.0
"""Work without end that has gone on for so long works again: longer than the time limit of any single question."""
GRACE_S: Final = 10.0
ROUND_S: Final = 300.0
"""No round of periodic work takes so long: every question that it may ask has a time limit of its own."""


class How(TypedDict, total=False):
    """How the supervisor treats a task; see above."""

    expected: Errors  # by default EXPECTED
    restart: bool
    drain: bool
    longest_s: float  # of the pauses after errors; by default LONGEST_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    name: str
    work: Work
    pause_s: Callable[[], float] | None  # after it has returned; None: it is done then
    endless: bool = False
    expected: Errors = EXPECTED
    restart: bool = False
    drain: bool = False
    longest_s: float = LONGEST_S


class Supervisor:
    """Made by ``supervised()``. Each method starts a task at once and returns it: cancel it to end it early."""

    def __init__(self, group: asyncio.TaskGroup, problems: Problems, *, steady_s: float = STEADY_S) -> None:
        self.problems = problems
        self._group = group
        self._steady_s = steady_s
        self._leaving = asyncio.Event()
        self._running: dict[asyncio.Task[None], _Job] = {}
        self._rounds: dict[str, float] = {}  # since when a round of periodic work goes on; loop time
        _supervisors.add(self)

    def once(self, name: str, work: Work, **how: Unpack[How]) -> asyncio.Task[None]:
        """Until it has returned once."""
        return self._start(_Job(name=name, work=work, pause_s=None, **how))

    def every(
        self, period_s: float | Callable[[], float], name: str, work: Work, **how: Unpack[How]
    ) -> asyncio.Task[None]:
        """Again and again, with a pause of ``period_s`` after each round. The first begins at once."""
        pause_s = period_s if callable(period_s) else lambda: period_s
        return self._start(_Job(name=name, work=work, pause_s=pause_s, **how))

    def forever(self, name: str, work: Work, **how: Unpack[How]) -> asyncio.Task[None]:
        """For work that is not meant to end before the role does."""
        return self._start(_Job(name=name, work=work, pause_s=lambda: FIRST_S, endless=True, **how))

    def stuck(self) -> str:
        """The name of periodic work whose round goes on for too long; "" for none."""
        now_s = asyncio.get_running_loop().time()
        return next((name for name, began_s in self._rounds.items() if now_s - began_s > ROUND_S), "")

    async def leave(self, grace_s: float) -> None:
        """Begin nothing anew, let drained tasks finish, cancel the rest. ``supervised()`` calls it."""
        self._leaving.set()
        draining = [task for task, job in self._running.items() if job.drain]
        for task, job in self._running.items():
            if not job.drain:
                task.cancel()
        if draining:
            _, late = await asyncio.wait(draining, timeout=grace_s)
            for task in late:
                _log.warning("%s did not finish within %g s and is cancelled", task.get_name(), grace_s)
                task.cancel()

    def _start(self, job: _Job) -> asyncio.Task[None]:
        task = self._group.create_task(self._run(job), name=job.name)
        self._running[task] = job
        task.add_done_callback(self._running.pop)
        return task

    async def _run(self, job: _Job) -> None:
        backoff = Backoff(first_s=min(FIRST_S, job.longest_s), longest_s=job.longest_s, steady_s=self._steady_s)
        while True:
            pause_s = await self._attempt(job, backoff)
            if pause_s is None or await pause(self._leaving, pause_s):
                return

    async def _attempt(self, job: _Job, backoff: Backoff) -> float | None:
        """How long to wait before the next; None when there is none. Raises what ends the role."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        steady = loop.call_later(self._steady_s, self.problems.clear, job.name) if job.endless else None
        if job.pause_s is not None and not job.endless:
            self._rounds[job.name] = began_s
        try:
            await job.work()
        except job.expected as error:
            self.problems.note(job.name, error)
        except TallenneError:
            raise
        except asyncio.CancelledError as error:
            if _cancelled():
                raise
            self._mistake(job, error)  # from within: the task would vanish without a word
        except Exception as error:  # noqa: BLE001 (this is the supervisor)
            self._mistake(job, error)
        else:
            self.problems.clear(job.name)
            backoff.reset()
            return None if job.pause_s is None else job.pause_s()
        finally:
            self._rounds.pop(job.name, None)
            if steady is not None:
                steady.cancel()
        return backoff.pause_s(loop.time() - began_s)

    def _mistake(self, job: _Job, error: BaseException) -> None:
        """Logged and noted. Raises it where it ends the role."""
        _log.error("%s: a programming error", job.name, exc_info=error)
        failure = error if isinstance(error, Exception) else RuntimeError("cancelled from within")
        if not job.restart:
            raise failure
        self.problems.note(job.name, failure)


_supervisors: WeakSet[Supervisor] = WeakSet()


def stuck() -> str:
    """The name of periodic work, under any supervisor of this process, that is stuck; "" for none."""
    return next(filter(None, (supervisor.stuck() for supervisor in _supervisors)), "")


def _cancelled() -> bool:
    """Whether this task was asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def supervised(
    problems: Problems, *, grace_s: float = GRACE_S, steady_s: float = STEADY_S
) -> AsyncIterator[Supervisor]:
    """Runs tasks beside its body; all have ended on return. The first failure of any cancels the body and the others.

    Raises the failure itself, not a group of one. Errors that the operator must correct come first, programming errors
    last.
    """
    try:
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(group, problems, steady_s=steady_s)
            yield supervisor
            await supervisor.leave(grace_s)
    except BaseExceptionGroup as failures:
        first, *others = sorted(_leaves(failures), key=_rank)
        for other in others:
            _log.error("also failed: %r", other)
        raise first from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _rank(error: BaseException) -> int:
    return next((rank for rank, kind in enumerate((MisuseError, TallenneError)) if isinstance(error, kind)), 2)
