"""Ingest as a process: an identity, hour keys, a recorder, and a task per camera."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from custodian.client import CustodianClient
from custodian.enrolment import enrol_again, load_or_enrol
from domain.errors import MisuseError, TallenneError
from domain.ids import CameraId
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from ingest.recording import KeyKeeper, Recorder, open_recorder
from ingest.settings import IngestSettings
from ingest.sources import Sources
from runtime.database import open_pool
from runtime.errors import StorageError
from runtime.private_files import private_directory
from runtime.problems import Problems
from runtime.status import StatusFile
from storage.catalogue import Catalogue
from storage.catalogue.camera_health import save_health
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import ObjectStore, open_store

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_STATUS_S = 1.0
_HEALTH_S = 5.0
_SPREAD_S = 0.02  # between the starts of two cameras
_DRAIN_S = 10.0
_STEP_TOLD_S = 600.0  # how long a step of this machine's clock is shown


async def run(
    settings: IngestSettings, stop: asyncio.Event, changes: asyncio.Queue[IngestSettings] | None = None
) -> None:
    """Until ``stop``. MisuseError when a person must mend something first; all else is waited out.

    changes: new settings; cameras added, changed or removed in them take effect without touching the others.
    """
    status = StatusFile(settings.run_directory, "ingest", settings.recorder_name)
    problems = Problems()
    status.write("starting")
    private_directory(settings.recorder_directory)
    client = CustodianClient(settings.custodian_socket)
    identity = await _identity(settings, client, status, stop)
    if identity is None:
        return
    keys = HourKeyCache(identity.pinned_signer, settings.recorder_directory / "hour-keys")
    async with (
        open_pool(settings.database, application_name="ingest", min_size=0, max_size=3) as pool,
        open_store(settings.store, connections=settings.upload_concurrency) as store,
    ):
        catalogue = Catalogue(pool)
        async with open_recorder(
            settings.spool,
            store,
            catalogue,
            identity,
            keys,
            problems,
            upload_concurrency=settings.upload_concurrency,
            drain_s=_DRAIN_S,
        ) as recorder:
            role = _Role(settings, recorder, status, problems, stop)
            _collect_rarely()
            keeper = KeyKeeper(keys, catalogue, problems, role.camera_ids)
            async with _tasks(
                keeper.run(),
                role.tick(),
                role.report(keeper),
                _open_bucket(store, problems),
                _enrol_again(identity, settings, client, problems),
                role.save_health(pool),
            ):
                await role.record(changes or asyncio.Queue(), keeper.look)
            status.write("stopping", cameras={})
    status.remove()


def _collect_rarely() -> None:
    """Pictures are freed by counting references; looking for cycles among them took 5 % of all time (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _identity(
    settings: IngestSettings, client: CustodianClient, status: StatusFile, stop: asyncio.Event
) -> RecorderIdentity | None:
    """None when stopped before the custodian was there for the first time."""
    while not stop.is_set():
        try:
            path = settings.recorder_directory / "identity"
            return await load_or_enrol(path, settings.recorder_name, client)
        except MisuseError:
            raise
        except TallenneError as error:
            status.write("starting", problems=[{"what": error.what, "remedy": error.remedy}])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.3)
    return None


class _Role:
    """The cameras and what is said of them."""

    def __init__(
        self, settings: IngestSettings, recorder: Recorder, status: StatusFile, problems: Problems, stop: asyncio.Event
    ) -> None:
        self._settings, self._recorder, self._status, self._problems = settings, recorder, status, problems
        self._stop = stop
        self._clock = RecorderClock(time.monotonic_ns(), time.time_ns())
        self._sources = Sources()
        self._cameras: dict[CameraId, Camera] = {}
        self._tasks: dict[CameraId, asyncio.Task[None]] = {}
        self._reports: dict[CameraId, dict[str, Any]] = {}

    def camera_ids(self) -> list[CameraId]:
        return list(self._cameras)

    async def record(self, changes: asyncio.Queue[IngestSettings], changed: Callable[[], None]) -> None:
        """Until stopped, then in good order. ``changed()`` is called when there are other cameras than before."""
        await self._apply(self._settings)
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        while not self._stop.is_set():
            change = asyncio.create_task(changes.get(), name="change")
            await asyncio.wait((stopping, change), return_when=asyncio.FIRST_COMPLETED)
            if change.done():
                await self._apply(change.result())
                changed()
            change.cancel()
        await self._end(list(self._cameras))

    async def _apply(self, settings: IngestSettings) -> None:
        """Start, restart and stop what differs; the others do not notice."""
        wanted = {camera.camera_id: camera for camera in settings.cameras}
        await self._end([known for known, camera in self._cameras.items() if camera.settings != wanted.get(known)])
        fresh = [camera for known, camera in wanted.items() if known not in self._cameras]
        for number, one in enumerate(fresh):
            recording = self._recorder.camera(one.site_id, one.camera_id)
            camera = Camera(one, recording, self._sources.make, self._clock, random.Random())
            self._cameras[one.camera_id] = camera
            task = asyncio.create_task(camera.run(number * _SPREAD_S), name=f"camera {one.name}")
            task.add_done_callback(functools.partial(self._ended, camera))
            self._tasks[one.camera_id] = task
        self._settings = settings

    async def _end(self, camera_ids: list[CameraId]) -> None:
        tasks = [self._tasks.pop(camera_id) for camera_id in camera_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for camera_id in camera_ids:
            self._cameras.pop(camera_id).stop()
            self._reports.pop(camera_id, None)

    def _ended(self, camera: Camera, task: asyncio.Task[None]) -> None:
        """A camera's task ends only by a mistake of ours: the others go on, and it is said."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the recording of camera %s ended: %r", camera.settings.name, error, exc_info=error)
            camera.health.state = "failed"
            self._say_of(camera, error if isinstance(error, Exception) else OSError())

    def _say_of(self, camera: Camera, error: Exception) -> bool:
        """False when it was said already."""
        return self._problems.note(f"camera {camera.settings.name}", error)

    async def tick(self) -> None:
        """Clocks and what waits too long."""
        told_ns = 0
        while True:
            await asyncio.sleep(_TICK_S)
            mono_ns, utc_ns = time.monotonic_ns(), time.time_ns()
            if self._clock.stepped(mono_ns, utc_ns):
                _log.warning("this machine's clock stepped forward: a gap says so")
                self._problems.note("clock step", MisuseError("This machine's clock went ahead.", "Check its time."))
                told_ns = mono_ns
                for camera in self._cameras.values():
                    camera.clock_stepped()
            elif mono_ns - told_ns > _STEP_TOLD_S * 1e9:
                self._problems.clear("clock step")
            self._clock.observe(mono_ns, utc_ns)
            if self._clock.behind_ns:
                self._problems.note(
                    "clock",
                    MisuseError(
                        "This machine's clock was set back, and is not followed, since that time has footage.",
                        "Check its time. Where it is right now, restart the recorder: it then goes by it.",
                    ),
                )
            else:
                self._problems.clear("clock")
            for camera in self._cameras.values():
                try:
                    camera.tick()
                except Exception as error:  # noqa: BLE001 (a mistake of ours is this camera's loss alone)
                    if self._say_of(camera, error):
                        _log.exception("camera %s: a mistake of ours", camera.settings.name)

    async def report(self, keeper: KeyKeeper) -> None:
        """The status file, once a second."""
        while True:
            now_ns = time.time_ns()
            mono_ns = time.monotonic_ns()
            for camera in self._cameras.values():
                recording = camera.recording
                self._reports[camera.settings.camera_id] = camera.health.report(
                    mono_ns, now_ns, recording.segments, recording.gaps, recording.recorded_ns
                )
            stats = self._recorder.stats()
            problems = list(stats.problems)
            problems += [
                {"what": f"{item['name']}: {item['last_error']}", "remedy": item["remedy"]}
                for item in self._reports.values()
                if item["last_error"]
            ]
            oldest = stats.oldest_pending_ns
            self._status.write(
                "degraded" if problems else "ready",
                problems=problems,
                cameras={str(camera_id): item for camera_id, item in self._reports.items()},
                spool={
                    "bytes": stats.spool_bytes,
                    "max_bytes": stats.spool_max_bytes,
                    "pending": stats.pending,
                    "oldest_pending_s": round((now_ns - oldest) / 1e9, 1) if oldest is not None else 0.0,
                    "stored": stats.stored,
                    "uploaded": stats.uploaded,
                    "shadows": stats.shadows,
                },
                keys_ahead_s=keeper.least_ahead_ns() // 1_000_000_000,
            )
            await asyncio.sleep(_STATUS_S)

    async def save_health(self, pool: Any) -> None:
        """For the API's pages; a database that is away is told elsewhere."""
        while True:
            await asyncio.sleep(_HEALTH_S)
            with contextlib.suppress(StorageError):
                await save_health(pool, self._reports, time.time_ns())


async def _open_bucket(store: ObjectStore, problems: Problems) -> None:
    """Make the bucket if it is not there, find out what the server honours, say what is missing."""
    while True:
        try:
            await store.ensure_bucket()
            for sentence in (await store.probe()).missing():
                _log.warning("%s", sentence)
            problems.clear("bucket")
            return
        except StorageError as error:
            problems.note("bucket", error)
        await asyncio.sleep(2)


async def _enrol_again(
    identity: RecorderIdentity, settings: IngestSettings, client: CustodianClient, problems: Problems
) -> None:
    while True:
        try:
            await enrol_again(identity, settings.recorder_name, client)
            problems.clear("custodian")
            await asyncio.sleep(600)
        except TallenneError as error:
            problems.note("custodian", error)
            await asyncio.sleep(5)


@contextlib.asynccontextmanager
async def _tasks(*coroutines: Any) -> AsyncIterator[None]:
    """Run beside the body; cancelled when it is over; the first to fail is logged and ends the role."""
    owner = asyncio.current_task()
    assert owner is not None
    tasks = [asyncio.create_task(item, name=item.__qualname__) for item in coroutines]

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s ended", task.get_name(), exc_info=task.exception())
            owner.cancel()

    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
