"""A recorder that is killed at a named place, started again, and held against its account."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pickle
import random
import signal
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg

from custodian.client import CustodianClient
from custodian.protocol import SEGMENTS_MAX
from domain.footage import Segment
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import HOUR_NS, NS, Span
from runtime.database import open_pool
from runtime.failpoints import LOG_VARIABLE, VARIABLE
from runtime.settings import SpoolSettings, StoreSettings
from storage.catalogue.rows import gap_from_row, segment_from_row
from storage.keys import RecorderIdentity
from storage.sealed import SegmentReader, object_name_of
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.support.footage.custodian import add_camera, custodian, custodian_settings
from tests.support.footage.recording import assert_tiled, index_of
from tests.support.processes.forks import Forks, forks
from tests.support.processes.record_process import PLANT, Task, read_account

FRAGMENTS_LOST_A_KILL = 2  # a second of footage


@dataclass(kw_only=True)
class Figures:
    """What one scene came to."""

    what: str  # the place, or the fault
    seed: int
    kills: int = 0
    struck_at: list[int] = field(default_factory=list)  # which hit of the place it was, each time
    runs: int = 0
    handed_in: int = 0  # fragments
    lost: int = 0
    acknowledged: int = 0  # segments
    rows: int = 0
    bytes_handed_in: int = 0
    bytes_lost: int = 0
    most_lost_a_kill: float = 0.0  # seconds of one camera's footage: the scene's mean over its kills
    notes: dict[str, float] = field(default_factory=dict)


@dataclass(kw_only=True)
class Stage:
    """Database, store, custodian and an enrolled recorder, shared by many scenes."""

    database: Database
    store: StoreSettings
    objects: ObjectStore
    client: CustodianClient
    identity: RecorderIdentity
    owner: asyncpg.Pool
    site_id: SiteId
    directory: Path
    socket: Path  # the custodian's
    forks: Forks
    log: Path | None = None

    async def settled(self) -> bool:
        """Whether the custodian has verified every row."""
        return not await self.owner.fetchval("SELECT EXISTS (SELECT FROM segment_claim)")

    async def scene(self, *, cameras: int = 2, **spool: Any) -> Scene:
        """New cameras, a new spool; the custodian has made their keys when this returns."""
        ids = [
            (await add_camera(self.owner, site_id=self.site_id))[1]  # type: ignore[arg-type]
            for _ in range(cameras)
        ]
        async with asyncio.timeout(20):
            while await self._supplied(ids) < len(ids):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        directory = self.directory / uuid.uuid4().hex[:12]
        directory.mkdir()
        self.identity.save(directory / "identity")
        values: dict[str, Any] = {"max_bytes": 1 << 30, "reserve_bytes": 0}
        return Scene(
            self,
            directory,
            tuple(ids),
            SpoolSettings(directory=directory / "spool", **(values | spool)),
            time.time_ns(),
        )

    async def _supplied(self, cameras: Sequence[CameraId]) -> int:
        query = "SELECT count(DISTINCT camera_id) FROM hour_key_public WHERE camera_id = ANY ($1) AND hour_ns > $2"
        return int(await self.owner.fetchval(query, list(cameras), time.time_ns() + HOUR_NS))

    def say(self, figures: Figures) -> None:
        """A line for ``python -m tests.support.faults.figures``."""
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(json.dumps(asdict(figures)) + "\n")


@asynccontextmanager
async def stage(
    database: Database, store: StoreSettings, directory: Path, *, log: Path | None = None
) -> AsyncIterator[Stage]:
    settings = custodian_settings(
        database.custodian, directory, store=store, allowed_uids=(os.geteuid(),), operator_uids=(os.geteuid(),)
    )
    async with open_pool(database.owner, application_name="test") as owner, open_store(store) as objects:
        site_id, _ = await add_camera(owner)  # type: ignore[arg-type]
        await objects.ensure_bucket()  # the custodian keeps audit heads and the journal there, and may not make it
        async with (
            custodian(settings) as client,
            forks("tests.support.processes.record_process", "tests.support.processes.repair_process") as made,
        ):
            identity = RecorderIdentity.create((await client.identity()).signer)
            await client.enrol(identity.recorder_id, "test", identity.public_key)
            yield Stage(
                database=database,
                store=store,
                objects=objects,
                client=client,
                identity=identity,
                owner=owner,
                site_id=site_id,
                directory=directory,
                socket=settings.socket,
                forks=made,
                log=log,
            )


@dataclass
class Scene:
    """One spool, its cameras, its account."""

    stage: Stage
    directory: Path
    cameras: tuple[CameraId, ...]
    spool: SpoolSettings
    start_ns: int
    kills: int = 0
    runs: int = 0
    struck_at: list[int] = field(default_factory=list)
    known: tuple[tuple[SegmentId, bytes], ...] = ()
    plant: str = ""

    async def run(self, failpoints: str = "", *, seed: int = 1, **task: Any) -> int:
        """One process until it ends; its return code. Rows that were there before must be there afterwards."""
        values: dict[str, Any] = {
            "database": self.stage.database.ingest,
            "store": self.stage.store,
            "spool": self.spool,
            "directory": self.directory,
            "site_id": self.stage.site_id,
            "cameras": self.cameras,
            "start_ns": self.start_ns,
            "seed": seed,
        }
        file = self.directory / "task.pickle"
        file.write_bytes(pickle.dumps(Task(**(values | task))))
        environment = {VARIABLE: failpoints, LOG_VARIABLE: str(self._strikes), PLANT: self.plant}
        async with asyncio.timeout(60 + task.get("segments", 0) + task.get("drain_s", 0.0)):
            code = await self.stage.forks.run(
                "tests.support.processes.record_process", str(file), environment, self.directory / "process.log"
            )
        self.runs += 1
        self.kills += code == -signal.SIGKILL
        rows = {(row["segment_id"], row["sha256"]) for row in await self._rows()}
        assert set(self.known) <= rows, "a committed row has changed or gone"
        self.known = tuple(rows)
        return code

    @property
    def _strikes(self) -> Path:
        return self.directory / "failpoints.log"

    def strikes(self, place: str) -> int:
        """How often ``place`` was struck, by the account of the processes that died there."""
        lines = self._strikes.read_text().splitlines() if self._strikes.exists() else []
        return sum(line.split()[0] == place for line in lines)

    async def killed(self, failpoints: str, **task: Any) -> bool:
        """Whether the place was reached; anything else than that death or a clean end is an error."""
        code = await self.run(failpoints, **task)
        assert code in (0, -signal.SIGKILL), self.said()
        return code != 0

    async def killed_often(self, place: str, times: int, seed: int, **task: Any) -> None:
        """So many deaths at one place, each at a hit that ``seed`` decides. AssertionError when it is not reached."""
        dice = random.Random(seed)
        for number in range(times):
            at = 1 if number == 0 else dice.randrange(1, 9)
            misses = 0
            while not await self.killed(f"{place}=kill@{at}", seed=seed + number, **task):
                misses += at == 1  # a run may happen to have no gap
                assert misses < 5, f"{place} is never reached"
                at = max(1, at // 2)  # it lay behind the end of the run
            self.struck_at.append(at)

    def said(self) -> str:
        """The last words of the processes."""
        return (self.directory / "process.log").read_text()[-3000:]

    async def ended(self, **task: Any) -> None:
        """A last run to its end, with everything uploaded."""
        code = await self.run(drain_s=20.0, segments=1, **task)
        assert code == 0, self.said()

    async def verdict(self, what: str, seed: int, *, dropping: bool = False, damaged: int = 0) -> Figures:
        """Nothing acknowledged lost, nothing doubled, time tiled; every row's object opens to what was handed in.

        dropping: segments may be gone, to make room or because somebody damaged ``damaged`` spool files.
        """
        figures = Figures(what=what, seed=seed, kills=self.kills, struck_at=self.struck_at, runs=self.runs)
        lines = read_account(self.directory / "account")
        segments = [segment_from_row(row) for row in await self._rows()]
        plain = await self._opened(segments)
        for camera_id in self.cameras:
            mine = [item for item in segments if item.camera_id == camera_id]
            told = [line for line in lines if line.get("c") == str(camera_id)]
            gaps = [gap_from_row(row).span for row in await self._gaps(camera_id)]
            self._check(figures, mine, plain, told, gaps, dropping=dropping)
        assert await self._names() == sorted(map(object_name_of, segments)), "objects without a row"
        assert list((self.spool.directory / "segments").iterdir()) == []
        assert len(list((self.spool.directory / "damaged").glob("*.tlns"))) == damaged
        self.stage.say(figures)
        return figures

    def _check(
        self,
        figures: Figures,
        segments: list[Segment],
        plain: dict[SegmentId, bytes],
        told: list[dict[str, Any]],
        gaps: list[Span],
        *,
        dropping: bool,
    ) -> None:
        spans = [item.span for item in segments]
        assert all(item.state == "live" for item in segments)
        assert_tiled(spans, gaps)
        assert min([*spans, *gaps]).start_ns == min(line["e"] for line in told if line["k"] == "resume")
        assert max([*spans, *gaps], key=lambda span: span.end_ns).end_ns == max(line["e"] for line in told)
        found = [part for item in segments for part in _fragments(item, plain[item.segment_id])]
        handed = {(line["s"] // 1_000_000, line["h"]): line for line in told if line["k"] == "in"}
        assert len(set(found)) == len(found), "footage twice"
        assert set(found) <= set(handed), "footage that nobody handed in"
        missing = [line for key, line in handed.items() if key not in set(found)]
        for line in missing:
            covered = any(gap.start_ns <= line["s"] and line["e"] <= gap.end_ns for gap in gaps)
            assert covered, f"missing without a gap: {line}, segments {sorted(spans)}, gaps {sorted(gaps)}"
        acknowledged = [Span(line["s"], line["e"]) for line in told if line["k"] == "fin"]
        if not dropping:
            for span in acknowledged:
                assert span in spans, "an acknowledged segment is lost"
            assert len(missing) <= FRAGMENTS_LOST_A_KILL * self.kills, f"{len(missing)} fragments are missing"
            lost_ns = sum(line["e"] - line["s"] for line in missing)
            figures.most_lost_a_kill = max(figures.most_lost_a_kill, lost_ns / NS / max(1, self.kills))
        figures.handed_in += len(handed)
        figures.lost += len(missing)
        figures.acknowledged += len(acknowledged)
        figures.rows += len(segments)
        figures.bytes_handed_in += sum(line["n"] for line in handed.values())
        figures.bytes_lost += sum(line["n"] for line in missing)

    async def _opened(self, segments: list[Segment]) -> dict[SegmentId, bytes]:
        """As `verify` would: keys from the custodian, whole plaintexts; the row's size and hash compared."""
        ids = [item.segment_id for item in segments]
        keys, plain = {}, {}
        for first in range(0, len(ids), SEGMENTS_MAX):
            keys |= await self.stage.client.open_for_verify(ids[first : first + SEGMENTS_MAX])
        for item in segments:
            name = object_name_of(item)
            data = await self.stage.objects.get_range(name, 0, item.size_bytes)
            assert hashlib.sha256(data).digest() == item.sha256

            async def fetch(start: int, end: int, data: bytes = data) -> bytes:
                return data[start:end]

            reader = SegmentReader(keys[item.segment_id], item.size_bytes, fetch)
            plain[item.segment_id] = bytes(await reader.read(0, reader.plain_len))
        return plain

    async def _rows(self) -> list[asyncpg.Record]:
        query = "SELECT * FROM segment WHERE camera_id = ANY ($1) ORDER BY start_ns"
        return list(await self.stage.owner.fetch(query, list(self.cameras)))

    async def _gaps(self, camera_id: CameraId) -> list[asyncpg.Record]:
        return list(await self.stage.owner.fetch("SELECT * FROM gap WHERE camera_id = $1 ORDER BY start_ns", camera_id))

    async def _names(self) -> list[str]:
        return sorted(
            [
                info.name
                for camera_id in self.cameras
                async for info in self.stage.objects.list(f"v1/{self.stage.site_id}/{camera_id}/")
            ]
        )

    def without_store(self) -> StoreSettings:
        return replace(self.stage.store, endpoint="127.0.0.1:9")


def _fragments(segment: Segment, plain: bytes) -> list[tuple[int, str]]:
    index = segment.fragments or index_of(plain, torn=segment.recovered)
    return [
        (segment.span.start_ns // 1_000_000 + start_ms, hashlib.sha256(plain[offset : offset + size]).hexdigest())
        for start_ms, offset, size in zip(index.start_ms, index.offset, index.size, strict=True)
    ]
