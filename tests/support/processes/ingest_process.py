"""The whole ingest role as a process to be killed, with an account of what its cameras sent: ``start(task file)``.

The account is a file outside of spool, database and store. ``start``: the process begins; ``rx``: a picture was
received, written before the recorder hears of it; ``stop``: it begins to stop in good order; ``end``: it has. Times are
of the monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from domain.time import DAY_NS, HOUR_NS
from ingest import role
from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, Source
from ingest.media.fragments import FragmentWriter
from ingest.settings import CameraSettings, IngestSettings
from ingest.sources import Sources
from ingest.spool import recovery
from ingest.spool.gaps import GapJournal

PLANT = "TALLENNE_PLANT"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestTask:
    settings: IngestSettings
    account: Path
    stop_after_s: float  # then in good order, whatever is due
    die_after_s: float = 0.0  # 0: by a failpoint or not at all
    drain_s: float = 0.0
    trouble: str = ""  # see trouble()
    trouble_s: tuple[float, float] = (2.0, 5.0)  # from, until; since the start


class _Accounted(Source):
    def __init__(self, camera: CameraSettings, source: Source, account: int) -> None:
        self._camera, self._source, self._account = camera, source, account

    @property
    def kind(self) -> str:
        return self._source.kind

    @property
    def note(self) -> str:
        return self._source.note

    @property
    def packets(self) -> Mapping[str, int]:
        return self._source.packets

    @property
    def skew_ns(self) -> int | None:
        return self._source.skew_ns

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        number = 0
        began_ns = time.monotonic_ns()
        async with aclosing(self._source.batches()) as batches:
            async for batch in batches:
                units = [item for item in batch if isinstance(item, AccessUnit)]
                number += 1
                os.write(self._account, b"".join(self._line(unit, number, began_ns) for unit in units))
                yield batch

    def _line(self, unit: AccessUnit, batch: int, connection: int) -> bytes:
        told = {
            "k": "rx",
            "b": batch,
            "x": connection,
            "c": str(self._camera.camera_id),
            "m": unit.mono_ns,
            "p": unit.pts_ticks,
            "h": picture_hash(unit.data),
            "n": len(unit.data),
            "key": unit.key,
        }
        return json.dumps(told).encode() + b"\n"


def picture_hash(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


async def main(task: IngestTask) -> None:
    account = os.open(task.account, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(account, json.dumps({"k": "start", "m": time.monotonic_ns(), "pid": os.getpid()}).encode() + b"\n")

    class AccountedSources(Sources):
        def make(self, camera: CameraSettings) -> Source:
            return _Accounted(camera, super().make(camera), account)

    role.Sources = AccountedSources  # type: ignore[misc]
    role._DRAIN_S = task.drain_s  # type: ignore[misc]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_now() -> None:
        os.write(account, b'{"k": "stop"}\n')
        stop.set()

    loop.call_later(task.stop_after_s, stop_now)
    if task.trouble:
        begin, end = trouble(task)
        for at_s, do in zip(task.trouble_s, (begin, end), strict=True):
            loop.call_later(at_s, do)
    await role.run(task.settings, stop)
    with contextlib.suppress(OSError):
        os.write(account, b'{"k": "end"}\n')


def trouble(task: IngestTask) -> tuple[Callable[[], None], Callable[[], None]]:
    """How a machine's misfortune begins and ends."""
    if task.trouble == "descriptors":
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        return (
            lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1])),  # what is open stays open
            lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits),
        )
    if task.trouble == "disk":
        hog = Hog(task.settings.spool.directory.parent / "ballast")
        return hog.take, hog.give_back
    step_ns = {"clock ahead": DAY_NS, "clock back": -DAY_NS, "clock ahead for a while": HOUR_NS}[task.trouble]
    really = time.time_ns

    def step() -> None:
        time.time_ns = lambda: really() + step_ns

    def step_back() -> None:
        time.time_ns = really

    return step, (lambda: None) if task.trouble == "clock ahead" else step_back


class Hog:
    """Somebody else takes all that is left of the disk, and again whatever becomes free."""

    def __init__(self, ballast: Path) -> None:
        self._ballast = ballast
        self._again: asyncio.TimerHandle | None = None

    def take(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        self._again = asyncio.get_running_loop().call_later(0.05, self.take)

    def give_back(self) -> None:
        assert self._again is not None
        self._again.cancel()
        self._ballast.unlink()


def plant(what: str) -> None:
    """Mistakes that a recorder might make."""
    if what == "long-fragments":
        FragmentWriter._long_enough = lambda self, ticks, _: ticks >= 2 * TICKS_PER_S  # type: ignore[method-assign]
    if what == "torn-files-removed":
        recovery._held = lambda facts, plain_len: []
    if what == "gaps-forgotten":
        GapJournal.append = lambda self, gap: None  # type: ignore[method-assign]


def start(file: str) -> None:
    """Record as the task in ``file`` says."""
    task: IngestTask = pickle.loads(Path(file).read_bytes())  # noqa: S301 our own test wrote it
    plant(os.environ.get(PLANT, ""))
    if task.die_after_s:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # nobody can catch it in time: as kill -9
        signal.setitimer(signal.ITIMER_REAL, task.die_after_s)
    asyncio.run(main(task))


if __name__ == "__main__":
    start(sys.argv[1])
