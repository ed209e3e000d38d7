"""The role ingest: an identity, hour keys, a recorder, and a task per camera."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from custodian.client import CustodianClient
from custodian.enrolment import enrol_again, load_or_enrol
from domain.errors import MisuseError, StorageError, TallenneError
from domain.ids import CameraId
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from ingest.native.library import in_use
from ingest.recording import KeyKeeper, Recorder, open_recorder
from ingest.settings import IngestSettings
from ingest.sources import Sources
from ingest.watched.feeding import Feeding, Watched
from live.settings import feed_socket
from runtime.database import open_pool
from runtime.pause import pause
from runtime.private_files import private_directory
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised
from storage.catalogue import Catalogue
from storage.catalogue.camera_health import HEALTH_EVERY_S, save_health
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import ObjectStore, open_store

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_ENROL_EVERY_S = 600.0
_SPREAD_S = 0.02  # between the starts of two cameras
_DRAIN_S = 10.0
_STEP_TOLD_S = 600.0  # for which a step of this machine's clock is shown


async def run(
    settings: IngestSettings, stop: asyncio.Event, changes: asyncio.Queue[IngestSettings] | None = None
) -> None:
    """Run until ``stop``. MisuseError: an operator has to correct something first; other faults are waited out.

    changes: new settings; cameras added, changed or removed in them take effect without touching the others.
    """
    status = StatusFile(settings.run_directory, "ingest", settings.recorder_name)
    problems = Problems()
    said = _Said(status, problems)
    private_directory(settings.recorder_directory)
    async with supervised(problems) as tasks:
        tasks.every(status.period_s, "status", said.write)
        await _record(settings, stop, changes or asyncio.Queue(), said, problems)
    status.remove()


class _Said:
    """Content of the status file: the cameras' report while they are recorded, else the state alone."""

    def __init__(self, status: StatusFile, problems: Problems) -> None:
        self.status, self._problems = status, problems
        self.state = "starting"
        self.report: Callable[[], None] | None = None

    async def write(self) -> None:
        """Write the status file; before the first camera runs, with the state alone."""
        if self.report is not None:
            self.report()
        else:
            self.status.write(self.state, problems=self._problems.present())


async def _record(
    settings: IngestSettings,
    stop: asyncio.Event,
    changes: asyncio.Queue[IngestSettings],
    said: _Said,
    problems: Problems,
) -> None:
    client = CustodianClient(settings.custodian_socket)
    identity = await _identity(settings, client, problems, stop)
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
            role = _Role(settings, recorder, said.status, problems, stop)
            _collect_rarely()
            keeper = KeyKeeper(keys, catalogue, problems, role.camera_ids)
            async with supervised(problems) as tasks:
                said.report = partial(role.report, keeper)
                tasks.forever("refreshing hour keys", keeper.run)
                tasks.forever("clock and cameras", role.tick)
                tasks.once("bucket", partial(_open_bucket, store), expected=(StorageError,))
                enrol = partial(enrol_again, identity, settings.recorder_name, client)
                tasks.every(_ENROL_EVERY_S, "custodian", enrol, expected=(TallenneError,))
                tasks.every(HEALTH_EVERY_S, "health in the database", partial(role.save_health, pool))
                if settings.feed_uids:
                    path = feed_socket(settings.run_directory, settings.recorder_name)
                    feed = partial(Feeding(role.feed_of).run, path, settings.feed_uids)
                    tasks.forever("live pictures", feed, expected=(TallenneError, OSError))
                await role.record(changes, keeper.look)
            said.report, said.state = None, "stopping"
            await said.write()


def _collect_rarely() -> None:
    """Run the cycle collector less often: pictures form no cycles, and searching them took 5 % of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _identity(
    settings: IngestSettings, client: CustodianClient, problems: Problems, stop: asyncio.Event
) -> RecorderIdentity | None:
    """Return the identity; None: stopped before the custodian was first reached."""
    while not stop.is_set():
        try:
            path = settings.recorder_directory / "identity"
            identity = await load_or_enrol(path, settings.recorder_name, client)
        except MisuseError:
            raise
        except TallenneError as error:
            problems.note("custodian", error)
            await pause(stop, 0.3)
        else:
            problems.clear("custodian")
            return identity
    return None


class _Role:
    """Runs the cameras and reports their health."""

    def __init__(
        self, settings: IngestSettings, recorder: Recorder, status: StatusFile, problems: Problems, stop: asyncio.Event
    ) -> None:
        self._settings, self._recorder, self._status, self._problems = settings, recorder, status, problems
        self._stop = stop
        self._clock = RecorderClock(time.monotonic_ns(), time.time_ns())
        self._changed: Callable[[], None] = lambda: None
        self._stepped_ns = 0  # monotonic time of the last step of this machine's clock
        self._sources = Sources()
        self._cameras: dict[CameraId, Camera] = {}
        self._tasks: dict[CameraId, asyncio.Task[None]] = {}
        self._reports: dict[CameraId, dict[str, Any]] = {}

    def camera_ids(self) -> list[CameraId]:
        return list(self._cameras)

    def feed_of(self, camera_id: CameraId, small: bool) -> Watched | None:
        """A camera's pictures for the role `live`; None where this recorder does not have it."""
        camera = self._cameras.get(camera_id)
        return None if camera is None else camera.watched(small=small)

    async def record(self, changes: asyncio.Queue[IngestSettings], changed: Callable[[], None]) -> None:
        """Run until stopped, then finish all cameras. Calls ``changed()`` when cameras or hours change."""
        self._changed = changed
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
        """Start, restart and stop the cameras that differ; the others are not touched."""
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
        """Report a camera's task that ended, which only a programming error causes; the others continue."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the recording of camera %s ended: %r", camera.settings.name, error, exc_info=error)
            camera.health.state = "failed"
            self._say_of(camera, error if isinstance(error, Exception) else OSError())

    def _say_of(self, camera: Camera, error: Exception) -> bool:
        """False when it was said already."""
        return self._problems.note(f"camera {camera.settings.name}", error)

    async def tick(self) -> None:
        """Follow the clock, and let cameras seal what waits too long."""
        while True:
            await asyncio.sleep(_TICK_S)
            self._follow_clock(time.monotonic_ns(), time.time_ns())
            for camera in self._cameras.values():
                try:
                    camera.tick()
                except Exception as error:  # noqa: BLE001 (a programming error costs this camera alone)
                    if self._say_of(camera, error):
                        _log.exception("camera %s: a programming error", camera.settings.name)

    def _follow_clock(self, mono_ns: int, utc_ns: int) -> None:
        step_ns = self._clock.step_ns(mono_ns, utc_ns)
        if step_ns:
            error = _stepped(step_ns)
            _log.warning("%s", error)
            self._problems.note("clock step", error)
            self._stepped_ns = mono_ns
            for camera in self._cameras.values():
                camera.clock_stepped(step_ns)
            self._changed()
        elif mono_ns - self._stepped_ns > _STEP_TOLD_S * 1e9:
            self._problems.clear("clock step")
        self._clock.observe(mono_ns, utc_ns)

    def report(self, keeper: KeyKeeper) -> None:
        """Write the status file from what is in memory."""
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
                "contested": stats.contested,
            },
            keys_ahead_s=keeper.least_ahead_ns() // 1_000_000_000,
            packets_by=in_use(),
        )

    async def save_health(self, pool: Any) -> None:
        """Save the cameras' health for the API's pages. An absent database is reported elsewhere."""
        with contextlib.suppress(StorageError):
            await save_health(pool, self._reports, time.time_ns())


def _stepped(step_ns: int) -> MisuseError:
    """Return the problem to be shown after a step of this machine's clock."""
    if step_ns > 0:
        return MisuseError(
            f"This machine's clock went ahead by {step_ns / 1e9:.0f} s; the time between is a gap.", "Check its time."
        )
    return MisuseError(
        f"This machine's clock was set back by {-step_ns / 1e9:.0f} s. Footage filed under later times becomes shadow"
        " segments; those times are recorded again.",
        'Check its time. "misfiled" in each camera\'s health names the span; `tallenne verify` reads it.',
    )


async def _open_bucket(store: ObjectStore) -> None:
    """Create the bucket if it is missing, probe the server, and report missing capabilities. StorageError."""
    await store.ensure_bucket()
    for sentence in (await store.probe()).missing():
        _log.warning("%s", sentence)
