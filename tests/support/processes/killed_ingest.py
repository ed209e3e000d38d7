"""Lanes: ingest roles of eight cameras each, killed again and again, then held against what their cameras sent."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import pickle
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from custodian.client import CustodianClient
from domain.footage import GapCause, Segment, SegmentState
from domain.ids import CameraId, SegmentId
from domain.time import HOUR_NS, NS
from ingest.access_unit import TICKS_PER_S
from ingest.settings import CameraSettings, IngestSettings, SourceKind
from pipeline.embedded.process import die_with_parent
from runtime.database import open_pool
from runtime.failpoints import LOG_VARIABLE, VARIABLE
from runtime.settings import SpoolSettings, StoreSettings
from runtime.status import read_status_files
from storage.catalogue.rows import gap_from_row, segment_from_row
from storage.mp4.boxes import find
from storage.sealed import SegmentReader, object_name_of
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.support.footage.custodian import add_camera, custodian, custodian_settings, until
from tests.support.footage.recording import assert_tiled, index_of
from tests.support.processes.forks import Forks, forks
from tests.support.processes.ingest_process import PLANT, IngestTask, picture_hash

CAMERAS = 8
FPS = 12.5
LOST_A_KILL_S = 1.0
BACK_AFTER_S = 5.0


@dataclass(kw_only=True)
class IngestFigures:
    """What one lane came to."""

    what: str
    seed: int
    kills: int = 0
    runs: int = 0
    struck: dict[str, int] = field(default_factory=dict)
    pictures: int = 0  # received
    lost: int = 0
    bytes_received: int = 0
    bytes_lost: int = 0
    missing_in_the_middle: int = 0  # a gap of cause clock, loss or storage says so
    most_lost_a_kill: float = 0.0  # seconds of one camera
    segments: int = 0
    gaps: dict[str, int] = field(default_factory=dict)
    slowest_back_s: float = 0.0  # from a start to a camera's first picture


@dataclass(kw_only=True)
class Gym:
    """Cameras that anybody may watch, and what all lanes share."""

    urls: list[str]
    database: Database
    store: StoreSettings
    objects: ObjectStore
    client: CustodianClient
    socket: Path
    owner: asyncpg.Pool
    forks: Forks
    directory: Path

    async def lane(self, number: int, *, cameras: int = CAMERAS, **spool: Any) -> Lane:
        directory = self.directory / f"lane-{number}"
        (directory / "run").mkdir(parents=True)
        made = []
        site_id = None
        for place in range(cameras):
            site_id, camera_id = await add_camera(self.owner, site_id=site_id)  # type: ignore[arg-type]
            made.append(
                CameraSettings(
                    camera_id=camera_id,
                    site_id=site_id,
                    name=f"{number}-{place}",
                    url=self.urls[place % len(self.urls)],
                    source=SourceKind.NATIVE,
                    segment_s=1.0,
                    segment_max_s=5.0,
                )
            )
        query = "SELECT count(DISTINCT camera_id) FROM hour_key_public WHERE camera_id = ANY ($1) AND hour_ns > $2"
        ids = [item.camera_id for item in made]
        later_ns = time.time_ns() + HOUR_NS

        async def supplied() -> bool:
            return int(await self.owner.fetchval(query, ids, later_ns)) == cameras

        await until(supplied, seconds=20)
        values: dict[str, Any] = {"max_bytes": 1 << 30, "reserve_bytes": 0}
        settings = IngestSettings(
            cameras=tuple(made),
            spool=SpoolSettings(directory=directory / "spool", **(values | spool)),
            store=self.store,
            database=self.database.ingest,
            custodian_socket=self.socket,
            recorder_directory=directory / "recorder",
            recorder_name=f"lane-{number}",
            run_directory=directory / "run",
        )
        return Lane(gym=self, directory=directory, settings=settings)


@asynccontextmanager
async def gym(
    database: Database, store: StoreSettings, directory: Path, *, keys_ahead_hours: int = 5
) -> AsyncIterator[Gym]:
    keeper = custodian_settings(
        database.custodian, directory, operator_uids=(os.geteuid(),), keys_ahead_hours=keys_ahead_hours
    )
    async with (
        open_pool(database.owner, application_name="test") as owner,
        custodian(keeper) as client,
        open_store(store) as objects,
        forks("tests.support.processes.ingest_process") as made,
        _cameras() as urls,
    ):
        await objects.ensure_bucket()
        yield Gym(
            urls=urls,
            database=database,
            store=store,
            objects=objects,
            client=client,
            socket=keeper.socket,
            owner=owner,
            forks=made,
            directory=directory,
        )


@asynccontextmanager
async def _cameras() -> AsyncIterator[list[str]]:
    """In a process of their own, so that they are in time whatever the test does. Each picture is unlike any other."""
    options = ["--cameras", str(CAMERAS), "--bitrate", "600000", "--fps", "25/2", "--gop", "13", "--size", "640x360"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.rtsp_server", *options),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            yield json.loads(await process.stdout.readline())["urls"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@dataclass(kw_only=True)
class Lane:
    """One recorder over many deaths."""

    gym: Gym
    directory: Path
    settings: IngestSettings
    kills: int = 0
    runs: int = 0
    plant: str = ""
    finished: set[SegmentId] = field(default_factory=set)  # seen whole in the spool, by their names

    @property
    def cameras(self) -> list[CameraId]:
        return [item.camera_id for item in self.settings.cameras]

    async def run(self, failpoints: str = "", **task: Any) -> int:
        """One process until it ends; its return code."""
        values: dict[str, Any] = {"settings": self.settings, "account": self.directory / "account", "stop_after_s": 6.0}
        file = self.directory / "task.pickle"
        file.write_bytes(pickle.dumps(IngestTask(**(values | task))))
        environment = {VARIABLE: failpoints, LOG_VARIABLE: str(self.directory / "strikes"), PLANT: self.plant}
        async with asyncio.timeout(90):
            code = await self.gym.forks.run("tests.support.processes.ingest_process", str(file), environment, self._log)
        assert code in (0, -signal.SIGKILL, -signal.SIGALRM), self.said()
        self.runs += 1
        self.kills += code != 0
        for path in (self.settings.spool.directory / "segments").glob("*.tlns"):
            self.finished.add(SegmentId(uuid.UUID(path.stem.partition("-")[2])))
        return code

    async def watched(self, *, prefix: Sequence[str] = (), **task: Any) -> list[dict[str, Any]]:
        """A whole run in good order, in a process of its own; what its status said, four times a second."""
        values: dict[str, Any] = {"settings": self.settings, "account": self.directory / "account"}
        file = self.directory / "task.pickle"
        file.write_bytes(pickle.dumps(IngestTask(**(values | task))))
        with self._log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(*prefix, sys.executable, "-m", "tests.support.processes.ingest_process", str(file)),
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,
            )
        ended = asyncio.create_task(process.wait())
        told: list[dict[str, Any]] = []
        # As that process sees its disk, which may be mounted for it alone.
        run_directory = Path(f"/proc/{process.pid}/root{self.settings.run_directory}")
        async with asyncio.timeout(60):
            while not ended.done():
                await asyncio.wait([ended], timeout=0.25)
                for status in read_status_files(run_directory):
                    told.append({**status, "m": time.monotonic_ns(), "age_s": self._age_s(run_directory)})
        assert ended.result() == 0, self.said()
        self.runs += 1
        return told

    def _age_s(self, run_directory: Path) -> float:
        """Of the status file, by the file system: the process's own clock may be wrong."""
        with contextlib.suppress(OSError):
            times = [path.stat().st_mtime for path in run_directory.glob("*.json")]
            return time.time() - max(times) if times else 0.0  # none: it has just ended in good order
        return 0.0

    @property
    def _log(self) -> Path:
        return self.directory / "process.log"

    def said(self) -> str:
        return self._log.read_text()[-3000:]

    def torn(self) -> int:
        return len(list((self.settings.spool.directory / "segments").glob("*.part")))

    def struck(self) -> dict[str, int]:
        file = self.directory / "strikes"
        found: dict[str, int] = {}
        for line in file.read_text().splitlines() if file.exists() else []:
            place = line.split()[0]
            found[place] = found.get(place, 0) + 1
        return found

    async def verdict(self, what: str, seed: int, *, holes: bool = False) -> IngestFigures:
        """Every committed segment opens; each picture that was received is there once, but for a second a kill.

        holes: pictures may be missing in the middle, but not at the end.
        """
        figures = IngestFigures(what=what, seed=seed, kills=self.kills, runs=self.runs, struck=self.struck())
        segments = await self._segments()
        assert all(item.state is SegmentState.LIVE for item in segments)
        assert self.finished <= {item.segment_id for item in segments}, "a finished segment is lost"
        found = await self._pictures(segments)
        runs = list(_runs(self.directory / "account"))
        for camera_id in self.cameras:
            mine = [item.span for item in segments if item.camera_id == camera_id]
            rows = await self.gym.owner.fetch("SELECT * FROM gap WHERE camera_id = $1", camera_id)
            gaps = [gap_from_row(row) for row in rows]
            assert_tiled(mine, [gap.span for gap in gaps])
            for gap in gaps:
                figures.gaps[gap.cause] = figures.gaps.get(gap.cause, 0) + 1
            shown = found.get(camera_id, [])
            assert len(set(shown)) == len(shown), "a picture twice"
            # A camera whose pictures come late, be it by this machine's fault, is said to have jumped.
            told = {gap.cause for gap in gaps} & {GapCause.CLOCK, GapCause.LOSS}
            self._check_received(figures, camera_id, set(shown), runs, holes or bool(told))
        shown_at_all = {picture for pictures in found.values() for picture in pictures}
        if any(_crashed_while_recording(run, shown_at_all) for run in runs[:-1]):
            assert figures.gaps.get(GapCause.CRASH, 0) > 0
        figures.segments = len(segments)
        return figures

    def _check_received(
        self,
        figures: IngestFigures,
        camera_id: CameraId,
        shown: set[str],
        runs: list[list[dict[str, Any]]],
        holes: bool,
    ) -> None:
        everything: set[str] = set()
        connections: list[list[dict[str, Any]]] = []
        for start, *lines in runs:
            mine = [line for line in lines if line["k"] == "rx" and line["c"] == str(camera_id)]
            if mine:
                figures.slowest_back_s = max(figures.slowest_back_s, (mine[0]["m"] - start["m"]) / NS)
            connections.extend(list(found) for _, found in itertools.groupby(mine, key=lambda line: line["x"]))
        for received in connections:
            everything |= {line["h"] for line in received}
            figures.pictures += len(received)
            figures.bytes_received += sum(line["n"] for line in received)
            # What comes before a first key picture cannot be shown: a gap says "starting".
            playable = _from_key(received)
            lost = [line for line in playable if line["h"] not in shown]
            tail = _suffix(playable, shown)
            figures.missing_in_the_middle += len(lost) - len(tail)
            assert holes or len(tail) == len(lost), "pictures are missing in the middle"
            lost = _from_key(tail) if holes else tail  # after a gap in the middle a key picture is waited for, too
            if not lost:
                continue
            lost_s = (lost[-1]["p"] - lost[0]["p"]) / TICKS_PER_S + 1 / FPS
            # A process that the machine lets wait reads much at once, and may die over the first picture of that.
            gulp = [line["p"] for line in lost if line["b"] == lost[-1]["b"]]
            at_once_s = (gulp[-1] - gulp[0]) / TICKS_PER_S
            # Pictures that are late settle late.
            limit_s = LOST_A_KILL_S if self.plant or at_leisure() else 1.5 * LOST_A_KILL_S
            assert round(lost_s - at_once_s, 3) <= limit_s, f"{lost_s} s of what was received are missing"
            figures.most_lost_a_kill = max(figures.most_lost_a_kill, lost_s)
            figures.lost += len(lost)
            figures.bytes_lost += sum(line["n"] for line in lost)
        assert shown <= everything, "a picture that no camera sent"
        if at_leisure():
            assert figures.slowest_back_s <= BACK_AFTER_S

    async def _segments(self) -> list[Segment]:
        query = "SELECT * FROM segment WHERE camera_id = ANY ($1) ORDER BY start_ns"
        return [segment_from_row(row) for row in await self.gym.owner.fetch(query, self.cameras)]

    async def _pictures(self, segments: list[Segment]) -> dict[CameraId, list[str]]:
        """Hashes of the pictures in all of them, opened with the custodian's keys."""
        found: dict[CameraId, list[str]] = {}
        for at in range(0, len(segments), 100):
            batch = segments[at : at + 100]
            keys = await self.gym.client.open_for_verify([item.segment_id for item in batch])
            for item in batch:
                data = await self.gym.objects.get_range(object_name_of(item), 0, item.size_bytes)

                async def fetch(start: int, end: int, data: bytes = data) -> bytes:
                    return data[start:end]

                reader = SegmentReader(keys[item.segment_id], item.size_bytes, fetch)
                plain = bytes(await reader.read(0, reader.plain_len))
                found.setdefault(item.camera_id, []).extend(_hashes(item, plain))
        return found


def at_leisure() -> bool:
    """Whether seconds say anything here: a machine that is busy with something else takes its time."""
    return os.getloadavg()[0] < 2 * (os.cpu_count() or 1)


def _crashed_while_recording(run: list[dict[str, Any]], shown: set[str]) -> bool:
    """Whether this process died, not while it stopped, and had recorded something: a gap of cause crash follows."""
    ends = {line["k"] for line in run} & {"stop", "end"}
    return not ends and any(line["k"] == "rx" and line["h"] in shown for line in run)


def _from_key(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = [place for place, line in enumerate(received) if line["key"]]
    return received[keys[0] :] if keys else []


def _suffix(received: list[dict[str, Any]], shown: set[str]) -> list[dict[str, Any]]:
    """What came after the last picture that is shown."""
    last = max((place for place, line in enumerate(received) if line["h"] in shown), default=-1)
    return received[last + 1 :]


def _hashes(segment: Segment, plain: bytes) -> Iterator[str]:
    index = segment.fragments or index_of(plain, torn=segment.recovered)
    for offset, size in zip(index.offset, index.size, strict=True):
        fragment = memoryview(plain)[offset : offset + size]
        moof_size = int.from_bytes(fragment[:4], "big")
        trun = find(bytes(fragment[:moof_size]), b"moof", b"traf", b"trun")
        count = int.from_bytes(fragment[trun.body + 4 : trun.body + 8], "big")
        at = moof_size + 8
        for place in range(count):
            entry = trun.body + 12 + 16 * place
            length = int.from_bytes(fragment[entry + 4 : entry + 8], "big")
            yield picture_hash(fragment[at : at + length])
            at += length
        assert at == size


def _runs(account: Path) -> Iterator[list[dict[str, Any]]]:
    """The account, a list for each process."""
    run: list[dict[str, Any]] = []
    for line in account.read_bytes().split(b"\n")[:-1]:
        told = json.loads(line)
        if told["k"] == "start" and run:
            yield run
            run = []
        run.append(told)
    if run:
        yield run
