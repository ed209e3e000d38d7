"""Keeps one embedded service working: started again when it ends, hangs, or refuses what it is for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from domain.errors import RetryableError, TallenneError
from pipeline.services import Say, Services
from pipeline.supervise.disk import disk_trouble
from pipeline.supervise.restarts import Restarts
from pipeline.supervise.service_watch import Outcome, ServiceWatch

LOOK_S: Final = 1.0
PROBE_EVERY_S: Final = 5.0
PROBE_TIMEOUT_S: Final = 4.0


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
        self._error = ""

    async def look(self) -> bool:
        """Probe it when that is due, start it again where that is needed; whether it now answers elsewhere.

        ServiceError: it did not come up. The next look tries again.
        """
        service = self._services[self.name]
        if not service.process.alive():
            self._say(f"! {self.name} ended; starting it again. {service.process.last_words()}")
            return await self._again()
        if self._clock_s() - self._probed_s < PROBE_EVERY_S:
            return False
        self._watch.note(await self._probe(), self._clock_s())
        self._probed_s = self._clock_s()
        if not self._watch.due(self._clock_s(), outside=bool(disk_trouble(self._directory))):
            return False
        self._say(f"! {self.name} does not do its work; starting it again. {self._error}".rstrip())
        await self._services.end(self.name, by_force=self._watch.silent)
        return await self._again()

    def status(self) -> dict[str, Any]:
        """JSON for the status file."""
        return {
            "state": "working" if self._working() else "failing",
            "failing_s": round(self._watch.failing_for_s(self._clock_s()), 1),
            "restarts": self.restarts.total,
        }

    def problem(self) -> TallenneError | None:
        """What is wrong with it at present."""
        remedy = f"It is started again by itself; if that does not help, look into logs/{self.name}.log."
        if self.restarts.often(self._clock_s()):
            return ServiceFailingError(f"The embedded {self.name} was started again and again.", remedy)
        if self._working():
            return None
        if trouble := disk_trouble(self._directory):
            return ServiceFailingError(
                f"The embedded {self.name} cannot write: the disk under {self._directory} {trouble}.",
                "Make room on it, or make it writable; the service then goes on by itself.",
            )
        return ServiceFailingError(f"The embedded {self.name} does not do its work. {self._error}".rstrip(), remedy)

    def _working(self) -> bool:
        return not self._watch.failing and self._services[self.name].process.alive()

    async def _again(self) -> bool:
        self.restarts.note(self._clock_s())
        self._watch.restarted(self._clock_s())
        moved = await self._services.again(self.name, self._say)
        self._watch.note(Outcome.WELL, self._clock_s())  # a service says that it is up only when it works
        return moved

    async def _probe(self) -> Outcome:
        self._error = ""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._services[self.name].probe()
        except TimeoutError:
            return Outcome.SILENT
        except TallenneError as error:
            self._error = error.what
            return Outcome.SILENT if isinstance(error.__cause__, TimeoutError) else Outcome.REFUSED
        except Exception as error:  # noqa: BLE001 (a probe through three libraries: whatever it is, it failed)
            self._error = type(error).__name__
            return Outcome.REFUSED
        return Outcome.WELL
