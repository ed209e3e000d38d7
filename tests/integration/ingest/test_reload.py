"""Cameras added, changed and removed while the others record."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.server import RtspServer
from domain.footage import GapCause
from domain.ids import CameraId, SiteId
from domain.time import NS, Span
from ingest import role
from ingest.settings import CameraSettings, IngestSettings
from runtime.database import connect, open_pool
from runtime.settings import CustodianSettings, SpoolSettings, StoreSettings
from runtime.status import read_status_files
from storage.catalogue import Catalogue
from storage.catalogue.inventory import CameraEntry, Inventory, SiteEntry, apply_inventory
from tests.conftest import Database
from tests.support.footage.custodian import custodian, custodian_settings

pytestmark = pytest.mark.services


async def until(holds: Callable[[], bool], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def reports(run_directory: Path) -> dict[str, dict[str, object]]:
    for status in read_status_files(run_directory):
        if status["role"] == "ingest":
            return {item["name"]: item for item in status.get("cameras", {}).values()}
    return {}


def recording(run_directory: Path) -> set[str]:
    """Cameras that have a segment since they were started."""
    return {name for name, item in reports(run_directory).items() if item["segments"]}


class Gym:
    """Three simulated cameras, which the catalogue knows, and the settings of a recorder for two of them."""

    def __init__(self, server: RtspServer, lives: Sequence[LiveCamera]) -> None:
        self.site_id = SiteId(uuid4())
        self.cameras = [
            CameraSettings(
                camera_id=CameraId(uuid4()), site_id=self.site_id, name=live.name, url=server.url(live), segment_s=2
            )
            for live in lives
        ]

    async def made_known(self, database: Database) -> None:
        inventory = Inventory(
            sites=(SiteEntry(site_id=self.site_id, name="Gym", time_zone="UTC"),),
            cameras=tuple(
                CameraEntry(camera_id=camera.camera_id, site_id=self.site_id, name=camera.name, retention_s=3600)
                for camera in self.cameras
            ),
            doors=(),
            mappings=(),
        )
        owner = await connect(database.owner)
        await apply_inventory(owner, inventory, 0)
        await owner.close()

    def settings(self, database: Database, keeper: CustodianSettings, directory: Path) -> IngestSettings:
        return IngestSettings(
            cameras=(self.cameras[0], self.cameras[1]),
            spool=SpoolSettings(directory=directory / "spool", max_bytes=1 << 30),
            store=StoreSettings(endpoint="", secure=False, bucket="none", access_key="", secret_key="", null=True),
            database=database.ingest,
            custodian_socket=keeper.socket,
            recorder_directory=directory / "recorder",
            recorder_name="one",
            run_directory=keeper.run_directory,
        )


@pytest.fixture
async def gym(database: Database) -> AsyncIterator[Gym]:
    coding = live_settings((320, 192), 10, 200_000, 1)
    lives = [
        LiveCamera(path=f"/camera/{number}", number=number, name=str(number), settings=coding) for number in range(3)
    ]
    async with RtspServer(lives).listening() as server, Studio(lives).open():
        made = Gym(server, lives)
        await made.made_known(database)
        yield made


async def test_a_changed_set_of_cameras_leaves_the_others_alone(tmp_path: Path, database: Database, gym: Gym) -> None:
    cameras = gym.cameras
    keeper = custodian_settings(database.custodian, tmp_path)
    settings = gym.settings(database, keeper, tmp_path)
    changes: asyncio.Queue[IngestSettings] = asyncio.Queue()
    stop = asyncio.Event()
    async with custodian(keeper):
        task = asyncio.create_task(role.run(settings, stop, changes))
        await until(lambda: recording(keeper.run_directory) == {"0", "1"})
        before = reports(keeper.run_directory)["0"]
        changed = replace(cameras[1], segment_s=4)
        changes.put_nowait(replace(settings, cameras=(cameras[0], changed, cameras[2])))
        # sooner than keys are looked for when all is quiet (ingest/recording/key_keeper.py: 30 s)
        await until(lambda: recording(keeper.run_directory) == {"0", "1", "2"}, 20)
        changes.put_nowait(replace(settings, cameras=(cameras[0], cameras[2])))
        await until(lambda: set(reports(keeper.run_directory)) == {"0", "2"})
        after = reports(keeper.run_directory)["0"]
        stop.set()
        await task
    assert after["connections"] == before["connections"] == 1
    assert after["gaps"] == before["gaps"]
    await hold_all_time_accounted_for(database, cameras)
    assert os.listdir(tmp_path / "spool" / "damaged") == []  # noqa: PTH208


async def hold_all_time_accounted_for(database: Database, cameras: Sequence[CameraSettings]) -> None:
    """Each camera's footage and gaps follow one another; the one that was changed and removed was away for short."""
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        everything = Span(0, 1 << 62)
        for camera in cameras:
            pieces = [item.span for item in await catalogue.segments([camera.camera_id], everything)]
            gaps = await catalogue.gaps([camera.camera_id], everything)
            tiled = sorted([*pieces, *(gap.span for gap in gaps)])
            assert all(one.end_ns == next_one.start_ns for one, next_one in itertools.pairwise(tiled))
            assert len(pieces) >= 2
        restarted = await catalogue.gaps([cameras[1].camera_id], everything)
        assert {gap.cause for gap in restarted} <= {GapCause.STOPPED, GapCause.STARTING}
        assert sum(gap.span.duration_ns for gap in restarted) < 30 * NS
