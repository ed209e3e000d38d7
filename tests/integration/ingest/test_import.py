"""A recorded file becomes sealed footage in the past: whole or not there, never over footage, no second unaccounted."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import av
import pytest

from custodian.errors import CustodianMisuseError
from domain.errors import TallenneError
from domain.footage import Gap, GapCause, Segment
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, Span, hour_of
from ingest.importing import Imported, ImportSettings, import_file, resume
from ingest.importing.workplace import ImportBusyError, Workplace
from ingest.libav.file import FileRefusedError
from ingest.settings import CameraSettings
from pipeline.embedded.process import die_with_parent
from runtime.settings import StoreSettings
from storage.catalogue import Catalogue, Commit
from storage.catalogue.repairs import commit_verified
from storage.catalogue.rows import gap_from_row, joined_gaps, segment_from_row
from storage.sealed import SegmentReader, object_name_of
from tests.conftest import Database
from tests.support.cameras.video import encoded, written
from tests.support.footage.custodian import add_camera
from tests.support.footage.recording import assert_tiled
from tests.support.processes.import_process import Task
from tests.support.processes.killed_recorder import Scene, Stage, stage
from upkeep.verify import verify

pytestmark = pytest.mark.services
SECONDS = 24.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 s of H.264 with B-frames."""
    return written(tmp_path_factory.mktemp("film") / "hall.mp4", encoded(SECONDS, b_frames=2))


@dataclass
class Gym:
    stage: Stage
    settings: ImportSettings
    scene: Scene | None
    camera: CameraSettings
    start_ns: int  # five hours ago

    async def put(self, film: Path, start_ns: int | None = None) -> Imported:
        return await import_file(self.settings, self.camera, film, start_ns or self.start_ns, lambda _what, _part: None)

    async def segments(self) -> list[Segment]:
        query = "SELECT * FROM segment WHERE camera_id = $1 ORDER BY start_ns"
        return [segment_from_row(row) for row in await self.stage.owner.fetch(query, self.camera.camera_id)]

    async def gaps(self) -> list[Gap]:
        """As they were told: rows are cut at midnight."""
        query = "SELECT * FROM gap WHERE camera_id = $1 ORDER BY start_ns"
        return joined_gaps(gap_from_row(row) for row in await self.stage.owner.fetch(query, self.camera.camera_id))

    async def objects(self) -> set[str]:
        prefix = f"v1/{self.camera.site_id}/{self.camera.camera_id}/"
        return {info.name async for info in self.stage.objects.list(prefix)}

    async def tiled(self) -> None:
        live = [item.span for item in await self.segments() if item.state == "live"]
        assert_tiled(live, [gap.span for gap in await self.gaps()])
        assert await self.objects() == {object_name_of(item) for item in await self.segments()}
        span = Span(0, time.time_ns())
        report = await verify(
            self.stage.owner, self.stage.objects, self.stage.client, camera_ids=[self.camera.camera_id], span=span
        )
        assert report.ok, report

    async def plain(self, segment: Segment) -> bytes:
        keys = await self.stage.client.open_for_verify([segment.segment_id])

        async def fetch(start: int, end: int) -> bytes:
            return await self.stage.objects.get_range(object_name_of(segment), start, end)

        reader = SegmentReader(keys[segment.segment_id], segment.size_bytes, fetch)
        return bytes(await reader.read(0, reader.plain_len))

    async def keys_before(self, time_ns: int) -> int:
        query = "SELECT count(*) FROM hour_key WHERE camera_id = $1 AND hour_ns < $2"
        return int(await self.stage.owner.fetchval(query, self.camera.camera_id, time_ns))

    async def process(self, film: Path | None, failpoints: str) -> int:
        """An import in a process of its own; its exit code."""
        task = self.stage.directory / "task.pickle"
        task.write_bytes(
            pickle.dumps(Task(settings=self.settings, camera=self.camera, file=film, start_ns=self.start_ns))
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.processes.import_process", str(task)),
            env={**os.environ, "TALLENNE_FAILPOINTS": failpoints},
            preexec_fn=die_with_parent,
        )
        async with asyncio.timeout(60):
            return await process.wait()


@asynccontextmanager
async def made(database: Database, store: StoreSettings, directory: Path, *, recorded: bool) -> AsyncIterator[Gym]:
    async with stage(database, store, directory) as built:
        scene = None
        if recorded:
            scene = await built.scene(cameras=1)
            assert await scene.run(segments=4, drain_s=20.0) == 0
            site_id, camera_id = built.site_id, scene.cameras[0]
        else:
            site_id, camera_id = await add_camera(built.owner, site_id=built.site_id)  # type: ignore[arg-type]
        settings = ImportSettings(
            database=database.owner,
            store=store,
            custodian_socket=built.socket,
            directory=directory / "import",
            spools=(scene.spool.directory,) if scene else (),
        )
        camera = CameraSettings(camera_id=camera_id, site_id=site_id, name="Hall", url="rtsp://127.0.0.1/")
        yield Gym(built, settings, scene, camera, hour_of(time.time_ns()) - 5 * HOUR_NS + 7 * NS)


@pytest.fixture
async def gym(database: Database, store: StoreSettings, tmp_path: Path) -> AsyncIterator[Gym]:
    async with made(database, store, tmp_path, recorded=False) as built:
        yield built


@pytest.fixture
async def recorded(database: Database, store: StoreSettings, tmp_path: Path) -> AsyncIterator[Gym]:
    """A camera that a recorder has recorded a few segments of, just now."""
    async with made(database, store, tmp_path, recorded=True) as built:
        yield built


async def test_file_becomes_segments_that_open_to_its_pictures(gym: Gym, film: Path) -> None:
    done = await gym.put(film)
    segments = await gym.segments()
    assert (done.segments, done.pictures, done.shadows) == (len(segments), 600, 0)
    assert done.span == Span(gym.start_ns, gym.start_ns + round(SECONDS * NS))
    assert (segments[0].span.start_ns, segments[-1].span.end_ns) == (done.span.start_ns, done.span.end_ns)
    assert [item.span.duration_ns // NS for item in segments] == [10, 10, 4]
    assert sum(item.frames for item in segments) == 600
    assert await gym.gaps() == []
    times = []
    for item in segments:
        with av.open(io.BytesIO(await gym.plain(item)), format="mp4") as container:
            offset_s = (item.span.start_ns - gym.start_ns) / NS
            times += [offset_s + float(frame.time) for frame in container.decode(video=0)]
    assert len(times) == 600
    assert all(abs(shown - number / 25) < 0.001 for number, shown in enumerate(sorted(times)))
    await gym.tiled()
    assert not gym.settings.directory.joinpath("ready").exists()
    outbox = await gym.stage.owner.fetchval("SELECT count(*) FROM outbox WHERE kind = 'segment'")
    assert outbox == len(segments)  # the indexer is told
    trail = await gym.stage.owner.fetchrow("SELECT actor, detail FROM audit_entry WHERE action = 'make_past_keys'")
    assert trail["actor"] == f"operator:{os.geteuid()}"
    assert await gym.keys_before(hour_of(time.time_ns())) == 1


async def test_what_players_hide_lies_before_the_start(gym: Gym, tmp_path: Path) -> None:
    """Cut at 1.4 s without coding anew: --start is the time of the first picture that a player shows."""
    done = await gym.put(written(tmp_path / "cut.mp4", encoded(6.0)[25:], hidden_ticks=126_000))
    assert done.hidden_ns == 2 * NS // 5
    assert done.span == Span(gym.start_ns - done.hidden_ns, gym.start_ns - done.hidden_ns + 5 * NS)
    (segment,) = await gym.segments()
    assert (segment.span, segment.frames) == (done.span, 125)
    await gym.tiled()


async def test_uneven_pictures_and_the_gap_beside_them_tile_to_the_nanosecond(gym: Gym, tmp_path: Path) -> None:
    """How long the last picture lasts is an estimate: there must be one."""
    uneven = [(data, ticks + number * 37 % 91, key) for number, (data, ticks, key) in enumerate(encoded(6.0))]
    film = written(tmp_path / "uneven.mp4", uneven)
    done = await gym.put(film)
    (segment,) = await gym.segments()
    assert done.span == segment.span
    await gym.put(film, gym.start_ns + 60 * NS)
    assert len(await gym.gaps()) == 1
    await gym.tiled()


async def test_again_is_refused_naming_what_is_there(gym: Gym, film: Path) -> None:
    await gym.put(film)
    before = await gym.segments()
    with pytest.raises(CustodianMisuseError, match=r"has footage from .*Spans of a camera never overlap"):
        await gym.put(film)
    with pytest.raises(CustodianMisuseError, match="has footage from"):
        await gym.put(film, gym.start_ns - 20 * NS)
    assert await gym.segments() == before
    await gym.put(film, gym.start_ns + 60 * NS)  # beside it there is room
    assert [gap.span.duration_ns // NS for gap in await gym.gaps()] == [36]
    await gym.tiled()


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1, "in the future"), (-80, "expired by its retention"), (-24 * 400, "expired by its retention")],
)
async def test_time_that_cannot_be_is_refused_and_leaves_nothing(gym: Gym, film: Path, hours: int, words: str) -> None:
    start_ns = time.time_ns() + hours * HOUR_NS
    with pytest.raises((CustodianMisuseError, FileRefusedError), match=words):
        await gym.put(film, start_ns)
    with pytest.raises(CustodianMisuseError, match=words):  # whoever asks
        await gym.stage.client.make_past_keys(gym.camera.camera_id, Span(start_ns, start_ns + NS))
    assert await gym.segments() == []
    assert await gym.keys_before(hour_of(time.time_ns())) == 0
    assert await gym.objects() == set()
    assert [path.name for path in gym.settings.directory.iterdir()] == ["lock"]


async def test_oldest_hour_that_may_be_imported_is_the_one_whose_key_lives(gym: Gym, film: Path) -> None:
    """Retention 72 h, true bound 73 h: the hour that began 72 full hours before this one is the last."""
    oldest_ns = hour_of(time.time_ns()) - 72 * HOUR_NS
    with pytest.raises(CustodianMisuseError, match="expired"):
        await gym.put(film, oldest_ns - 1)
    await gym.put(film, oldest_ns)
    await gym.tiled()


async def test_camera_that_is_not_known_is_refused(gym: Gym, film: Path) -> None:
    gym.camera = replace(gym.camera, camera_id=CameraId(uuid4()))
    with pytest.raises(CustodianMisuseError, match="is not known"):
        await gym.put(film)


async def test_more_than_a_week_of_keys_is_refused(gym: Gym) -> None:
    span = Span(gym.start_ns - 169 * HOUR_NS, gym.start_ns)
    with pytest.raises(CustodianMisuseError, match="at most 168 hours"):
        await gym.stage.client.make_past_keys(gym.camera.camera_id, span)
    with pytest.raises(CustodianMisuseError):
        await gym.stage.client._ask(
            "make_past_keys", camera_id=str(gym.camera.camera_id), start_ns=-(1 << 70), end_ns=0
        )


async def test_gap_gives_way_and_time_beside_is_accounted(recorded: Gym, film: Path) -> None:
    """Before all that a recorder knows, and in the middle of a gap that a recorder tells."""
    before = await recorded.gaps()
    done = await recorded.put(film)
    first, *rest = await recorded.gaps()
    assert rest == before
    assert (first.cause, first.span.start_ns) == (GapCause.STOPPED, done.span.end_ns)
    await recorded.tiled()
    await recorded.put(film, recorded.start_ns + HOUR_NS)
    assert len(await recorded.gaps()) == len(before) + 2
    await recorded.tiled()


async def test_gap_told_later_leaves_imported_time_alone(gym: Gym, film: Path) -> None:
    """A recorder that was off says so when it is back: for all the time, that of the import included."""
    done = await gym.put(film)
    told = Gap(
        camera_id=gym.camera.camera_id,
        span=Span(done.span.start_ns - HOUR_NS, done.span.end_ns + HOUR_NS),
        cause=GapCause.STOPPED,
    )
    catalogue = Catalogue(gym.stage.owner)
    for _ in range(2):
        await catalogue.commit_gaps([told])
        spans = [gap.span for gap in await gym.gaps()]
        assert spans == [
            Span(told.span.start_ns, done.span.start_ns),
            Span(done.span.end_ns, told.span.end_ns),
        ]
    await gym.tiled()


async def test_footage_on_its_way_is_waited_for(recorded: Gym, film: Path) -> None:
    assert recorded.scene is not None
    scene = recorded.scene
    store = scene.without_store()
    assert await scene.run(segments=2, store=store, drain_s=0.0) == 0
    path = min((scene.spool.directory / "segments").glob("*.metadata"))
    started_ns = time.time_ns() - HOUR_NS
    earlier = path.rename(path.with_name(f"{started_ns}-{path.name.partition('-')[2]}"))  # as if it had waited an hour
    with pytest.raises(FileRefusedError, match="still has footage"):
        await recorded.put(film, started_ns - 2 * NS)
    earlier.rename(path)
    await recorded.put(film)  # earlier than all of that
    assert await scene.run(segments=1, drain_s=20.0) == 0
    await recorded.tiled()


async def test_recorder_wins_where_both_have_footage(gym: Gym, film: Path) -> None:
    await gym.put(film)
    imported = await gym.segments()
    late = replace(imported[1], segment_id=uuid4(), recorder_id=uuid4(), epoch=1)
    assert await commit_verified(gym.stage.owner, late, object_name_of(late)) is Commit.LIVE
    states = {item.segment_id: item.state for item in await gym.segments()}
    assert states[late.segment_id] == "live"
    assert [states[item.segment_id] for item in imported] == ["live", "shadow", "live"]


async def test_interrupted_while_sealing_leaves_nothing_and_can_be_done_again(gym: Gym, film: Path) -> None:
    reached = asyncio.Event()

    def tell(what: str, part: float) -> None:
        if what == "sealing" and part > 0.5:
            reached.set()

    task = asyncio.create_task(import_file(gym.settings, gym.camera, film, gym.start_ns, tell))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in gym.settings.directory.iterdir()] == ["lock"]
    assert (await gym.segments(), await gym.objects()) == ([], set())
    await gym.put(film)
    await gym.tiled()


async def test_file_that_grows_meanwhile_is_refused(gym: Gym, film: Path, tmp_path: Path) -> None:
    growing = tmp_path / "growing.mp4"
    shutil.copy(film, growing)

    def tell(what: str, part: float) -> None:
        if what == "sealing" and part > 0.5:
            os.utime(growing, ns=(0, 0))

    with pytest.raises(FileRefusedError, match="was changed while"):
        await import_file(gym.settings, gym.camera, growing, gym.start_ns, tell)
    assert (await gym.segments(), await gym.objects()) == ([], set())


async def test_two_at_once_are_refused(gym: Gym, film: Path) -> None:
    with Workplace(gym.settings.directory).taken(), pytest.raises(ImportBusyError):
        await gym.put(film)


async def test_hole_in_the_file_is_a_gap(gym: Gym, tmp_path: Path) -> None:
    stream = encoded(10.0)
    stream = [item for item in stream if item[2] or item[1] < 90_000 * 3 or item[1] >= 90_000 * 8]
    holed = [item for item in stream if not 90_000 * 3 <= item[1] < 90_000 * 8]
    shifted = [(data, pts + (90_000 * 20 if pts >= 90_000 * 8 else 0), key) for data, pts, key in holed]
    await gym.put(written(tmp_path / "holed.mp4", shifted))
    (gap,) = await gym.gaps()
    assert (gap.cause, gap.detail) == (GapCause.LOSS, "a hole in the imported file")
    assert gap.span.duration_ns // NS in (24, 25)
    await gym.tiled()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failpoints", "whole"),
    [
        ("spool.append.chunks=kill@20", False),
        ("spool.publish.rename=kill@2", False),
        ("upload.put.before=kill@1", True),
        ("upload.put.after=kill@2", True),
        ("commit.segment=kill@1", True),
        ("commit.segment=kill@3", True),
    ],
)
async def test_killed_anywhere_it_is_whole_or_not_there(gym: Gym, film: Path, failpoints: str, whole: bool) -> None:
    assert await gym.process(film, failpoints) == -signal.SIGKILL
    if not whole:
        assert (await gym.segments(), await gym.objects()) == ([], set())
        assert await resume(gym.settings, lambda _what, _part: None) is None
        await gym.put(film)
    else:
        with pytest.raises(TallenneError, match="has footage"):  # it is finished first, and then it is there
            await gym.put(film)
    segments = await gym.segments()
    assert sum(item.frames for item in segments) == 600
    assert all(item.state == "live" for item in segments)
    await gym.tiled()
    assert [path.name for path in gym.settings.directory.iterdir()] == ["lock"]
