"""A recorder as a process of its own, to be killed: ``python -m tests.support.processes.record_process <task.pickle>``.

It records fragments that it makes up, faster than real time, and keeps an account of them: a file outside of spool,
database and store, written line by line, which is as durable as the death of a process asks for. ``in``: a fragment
before it is handed in; ``fin``: a segment whose finish returned, that is, was acknowledged.

TALLENNE_PLANT plants a fault that the test must find: see ``plant()``.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import StorageError
from domain.footage import Gap, GapCause
from domain.ids import CameraId, SiteId
from domain.time import HOUR_NS, NS
from ingest.recording import CameraRecording, KeyKeeper, Recorder, open_recorder, retry
from ingest.spool import CameraPosition, Ending, Pending, SegmentFile, Spool, SpoolError, SpoolFullError
from ingest.spool import spool as spool_module
from ingest.spool.gaps import GapJournal
from ingest.spool.positions import CameraPositions
from runtime.database import open_pool
from runtime.problems import Problems
from runtime.settings import DatabaseSettings, SpoolSettings, StoreSettings
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import open_store
from tests.support.footage.fragments import FRAGMENT_NS, init_of, piece

AWAY_NS = 3 * NS  # of the cameras' clock, between two runs
CODEC, INIT = init_of()
PLANT = "TALLENNE_PLANT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run."""

    database: DatabaseSettings
    store: StoreSettings
    spool: SpoolSettings
    directory: Path  # identity, keys, account
    site_id: SiteId
    cameras: tuple[CameraId, ...]
    start_ns: int  # of the cameras' clock at the very first run
    seed: int
    segments: int = 5  # of each camera
    drain_s: float = 0.0
    size: int = 12_000
    pause_s: float = 0.003
    first_wait_s: float = 0.5  # before a service that failed is tried again
    upload_concurrency: int = 2


class Account:
    """Lines that outlive whatever happens to this process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(self, what: str, **more: Any) -> None:
        os.write(self._file, json.dumps({"k": what, **more}).encode() + b"\n")


def read_account(path: Path) -> list[dict[str, Any]]:
    """Whole lines."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def camera_clock(lines: list[dict[str, Any]], start_ns: int) -> int:
    """Where the cameras' clock stands when a run begins."""
    latest = max((line["e"] for line in lines if "e" in line), default=None)
    return start_ns if latest is None else latest + AWAY_NS


async def main(task: Task) -> None:
    lines = read_account(task.directory / "account")
    account = Account(task.directory / "account")
    identity = RecorderIdentity.load(task.directory / "identity")
    assert identity is not None
    keys = HourKeyCache(identity.pinned_signer, task.directory / "hour-keys")
    problems = Problems()
    retry.FIRST_S = task.first_wait_s
    async with (
        open_pool(task.database, application_name="record-process", min_size=0, max_size=2) as pool,
        open_store(task.store, connections=task.upload_concurrency + 1) as store,
    ):
        catalogue = Catalogue(pool)
        await _know_keys(KeyKeeper(keys, catalogue, problems, lambda: task.cameras), task, keys)
        async with open_recorder(
            task.spool,
            store,
            catalogue,
            identity,
            keys,
            problems,
            upload_concurrency=task.upload_concurrency,
            drain_s=task.drain_s,
        ) as recorder:
            run = _Run(task, account, recorder, camera_clock(lines, task.start_ns), len(lines))
            await run.record()
    account.say("end")


async def _know_keys(keeper: KeyKeeper, task: Task, keys: HourKeyCache) -> None:
    """The database may be away: then those of the last run must do."""
    for _ in range(30):
        with suppress(StorageError):
            await keeper.refresh()
            return
        if all(keys.ahead_ns(camera_id, task.start_ns) > HOUR_NS for camera_id in task.cameras):
            return
        await asyncio.sleep(0.1)


class _Run:
    def __init__(self, task: Task, account: Account, recorder: Recorder, now_ns: int, salt: int) -> None:
        self._task, self._account, self._recorder = task, account, recorder
        self._dice = random.Random(task.seed * 1_000_003 + salt)
        self._start_ns = now_ns

    async def record(self) -> None:
        cameras = [self._recorder.camera(self._task.site_id, camera_id) for camera_id in self._task.cameras]
        work = [self._camera(camera) for camera in cameras]
        while work:
            for one in list(work):
                if next(one, None) is None:
                    work.remove(one)
                # Between two fragments the uploader gets its turn, as it would in half a second.
                await asyncio.sleep(self._task.pause_s)

    def _camera(self, camera: CameraRecording) -> Iterator[int]:
        now_ns = self._start_ns
        who = str(camera.camera_id)
        camera.resume(now_ns)
        self._account.say("resume", c=who, e=now_ns)
        for number in range(self._task.segments):
            if number and self._dice.random() < 0.3:
                now_ns += NS
                camera.missing(now_ns, GapCause.LOSS)
                self._account.say("gap", c=who, e=now_ns)
                yield 1
            start_ns = now_ns
            try:
                camera.begin(start_ns, CODEC, INIT)
                for _ in range(self._dice.randrange(2, 6)):
                    size = self._dice.choice((400, self._task.size, 4 * self._task.size))
                    made = piece(self._dice, start_ns, now_ns, key=now_ns == start_ns, size=size)
                    now_ns += FRAGMENT_NS
                    self._account.say("in", c=who, s=made.start_ns, e=made.end_ns, h=made.sha256, n=len(made.data))
                    camera.append([made.data], made.start_ns, made.end_ns, key=made.key, frames=made.frames)
                    yield 1
                    camera.tick()
                camera.finish(now_ns)
                self._account.say("fin", c=who, s=start_ns, e=now_ns, t=time.time_ns())
            except (SpoolError, SpoolFullError) as error:
                cause = GapCause.SPOOL_FULL if isinstance(error, SpoolFullError) else GapCause.STORAGE
                now_ns = max(now_ns, start_ns + NS)
                camera.missing(now_ns, cause)
                self._account.say("refused", c=who, s=start_ns, e=now_ns, why=error.what)
            yield 1
        camera.stop(now_ns)
        self._account.say("stop", c=who, e=now_ns)


def plant(what: str) -> None:
    """Mistakes that a recorder might make."""
    if what == "forgotten-positions":

        def forget(self: CameraPositions, camera_id: CameraId, position: CameraPosition) -> None:
            """A position that is never written."""

        CameraPositions.save = forget  # type: ignore[method-assign]
    if what == "unwritten-tail":
        written = SegmentFile.finish

        def cut(self: SegmentFile, tail: bytes, ending: Ending) -> int:
            return written(self, tail[:-1], ending)

        SegmentFile.finish = cut  # type: ignore[method-assign]
    if what == "early-removal":
        rightly = Spool.note_stored

        def remove(self: Spool, pending: Pending) -> None:
            rightly(self, pending)
            self.remove(pending)

        Spool.note_stored = remove  # type: ignore[method-assign]
    if what == "lost-gaps":

        def lose(self: GapJournal, gap: Gap) -> None:
            """A gap that is never written."""

        GapJournal.append = lose  # type: ignore[method-assign]
    if what == "metadata-removed-first":

        def remove_wrongly(self: Spool, pending: Pending) -> None:
            pending.place.metadata.unlink(missing_ok=True)
            spool_module.hit("spool.remove.sealed")
            pending.place.ready.unlink(missing_ok=True)
            self._count(pending.place, 0)

        Spool.remove = remove_wrongly  # type: ignore[method-assign]


def start(file: str) -> None:
    """Record as the task in ``file`` says."""
    plant(os.environ.get(PLANT, ""))
    asyncio.run(main(pickle.loads(Path(file).read_bytes())))  # noqa: S301 our own test wrote it


if __name__ == "__main__":
    start(sys.argv[1])
