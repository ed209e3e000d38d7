"""Keeps one embedded service working: started again when it ends, hangs, or refuses what it is for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from domain.errors import RetryableError, TallenneError
from pipeline.services import Say, Services
from pipeline.supervise.disk import disk_trouble, is_slow
from pipeline.supervise.restarts import Restarts
from pipeline.supervise.service_watch import Outcome, ServiceWatch

LOOK_S: Final = 1.0
PROBE_EVERY_S: Final = 1.9  # with the looks, every two seconds
PROBE_TIMEOUT_S: Final = 4.0
PROBE_TIMEOUT_TROUBLED_S: Final = 1.5
"""On a disk that took no writes at the last probe: nothing is started again for that while it lasts, and soon after."""
KNOWN_S: Final = 3.5
"""An older answer says nothing of now: with the age of the status file a service that hangs is shown within 5 s."""


class ServiceFailingError(RetryableError):
    """An embedded service does not do its work; it is started again."""


class ServiceMonitor:
    """One service. Call ``look()`` every ``LOOK_S``; it never runs twice at a time."""

    def __init__(
        self,
        name: str,
        services: Services,
        directory: Path,
        say: Say,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``directory``: where the service keeps its data."""
        self.name = name
        self.restarts = Restarts()
        self._services, self._directory, self._say, self._clock_s = services, directory, say, clock_s
        self._watch = ServiceWatch(clock_s())
        self._probed_s = clock_s()
        self._error = ""  # of the last probe
        self._troubled = False  # the disk took no writes then
        self._end = ""  # how it ended the last time

    async def look(self) -> bool:
        """Probe it when that is due, start it again where that is needed; whether it now answers elsewhere.

        ServiceFailingError: it did not come up. The next look tries again.
        """
        service = self._services[self.name]
        if not service.process.alive():
            self._end = f"It ended ({service.process.last_words()})."
            self._error = self._end
            self._say(f"! {self.name}: {self._end} It is started again.{self._disk_words()}")
            return await self._again()
        if self._clock_s() - self._probed_s < PROBE_EVERY_S:
            return False
        outcome = await self._probe()
        if outcome is None:
            self._watch.excuse(self._clock_s())
        else:
            self._watch.note(outcome, self._clock_s())
        self._probed_s = self._clock_s()
        if not self._watch.due(self._clock_s(), outside=await self._outside()):
            return False
        self._end = f"It did not do its work: {self._error}"
        self._say(f"! {self.name}: {self._end} It is started again.")
        await self._services.end(self.name, by_force=self._watch.silent)
        return await self._again()

    def status(self) -> dict[str, Any]:
        """JSON for the status file. state: "working", "failing", or "unknown" when its last answer is too old."""
        now_s = self._clock_s()
        failing = self._watch.failing or not self._services[self.name].process.alive()
        return {
            "state": "failing" if failing else "working" if self._working() else "unknown",
            "failing_s": round(self._watch.failing_for_s(now_s), 1),
            "answered_s": round(self._watch.well_for_s(now_s), 1),
            "restarts": self.restarts.total,
        }

    def problem(self) -> TallenneError | None:
        """What is wrong with it at present."""
        remedy = f"It is started again by itself; if that does not help, look into logs/{self.name}.log."
        working, often = self._working(), self.restarts.often(self._clock_s())
        if working and not often:
            return None
        if trouble := disk_trouble(self._directory):
            return ServiceFailingError(
                f"The embedded {self.name} cannot write: the disk under {self._directory} {trouble}.",
                "Make room on it, or make it writable; the service then goes on by itself.",
            )
        if often:
            return ServiceFailingError(f"The embedded {self.name} was started again and again. {self._end}", remedy)
        answered_s = self._watch.well_for_s(self._clock_s())
        error = self._error or f"Its last answer is {answered_s:.0f} s old."
        return ServiceFailingError(f"The embedded {self.name} does not do its work. {error}", remedy)

    def _working(self) -> bool:
        alive = self._services[self.name].process.alive()
        return alive and not self._watch.failing and self._watch.well_for_s(self._clock_s()) <= KNOWN_S

    async def _outside(self) -> bool:
        """Whether the machine, not the service, is what fails: its disk takes no writes, or takes them slowly."""
        self._troubled = bool(disk_trouble(self._directory))
        if self._troubled:
            return True
        return self._watch.silent and await is_slow(self._directory)

    def _disk_words(self) -> str:
        trouble = disk_trouble(self._directory)
        return f" The disk under {self._directory} {trouble}." if trouble else ""

    async def _again(self) -> bool:
        self.restarts.note(self._clock_s())
        self._watch.restarted(self._clock_s())
        try:
            moved = await self._services.again(self.name, self._say)
        except TallenneError as error:
            words = self._disk_words()
            if words:
                raise ServiceFailingError(f"{error.what}{words}", "Make room on it, or make it writable.") from error
            raise
        self._watch.note(Outcome.WELL, self._clock_s())  # a service says that it is up only when it works
        self._probed_s = self._clock_s()
        return moved

    async def _probe(self) -> Outcome | None:
        """None: this process stood still itself, and an answer could not be heard."""
        standstill = Standstill()
        timeout_s = PROBE_TIMEOUT_TROUBLED_S if self._troubled else PROBE_TIMEOUT_S
        try:
            async with standstill, asyncio.timeout(timeout_s):
                await self._services[self.name].probe()
        except TimeoutError:
            if standstill.longest_s > max(0.1, timeout_s / 4):
                return None
            self._error = f"It has not answered for {timeout_s:.3g} s."
            return Outcome.SILENT
        except TallenneError as error:
            self._error = error.what
            return Outcome.SILENT if isinstance(error.__cause__, TimeoutError) else Outcome.REFUSED
        except Exception as error:  # noqa: BLE001 (a probe through three libraries: whatever it is, it failed)
            self._error = f"{type(error).__name__}."
            return Outcome.REFUSED
        self._error = ""
        return Outcome.WELL


class Standstill:
    """Measures, while its block runs, for how long the event loop ran nothing: late wake-ups of its own."""

    EVERY_S: Final = 0.05

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Standstill:
        self._wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._note()
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._due_s = loop.time() + self.EVERY_S
        self._timer = loop.call_at(self._due_s, self._tick)

    def _tick(self) -> None:
        self._note()
        self._wait()

    def _note(self) -> None:
        self.longest_s = max(self.longest_s, asyncio.get_running_loop().time() - self._due_s)
