"""The gym as a process: cameras on RTSP, doors on MQTT, and people that the cameras show when a door reports them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import zlib
from pathlib import Path
from typing import Final

from demo.doors import DoorEvent, Doors
from demo.live import LiveCamera, Studio, live_settings
from demo.mail import FILE, keeping_mail
from demo.members import read_credentials
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from demo.settings import DemoSettings
from demo.traffic import Happening, Traffic
from demo.video.pictures import Report
from domain.errors import TallenneError
from runtime.status import StatusFile

STATUS_EVERY_S: Final = 2.0
SKIPS_FILE: Final = "demo-skips.jsonl"  # a line for each time that a camera had to leave out pictures


async def run(settings: DemoSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. DemoMisuseError when the members' list or the pictures' size cannot be used.

    Ready once the cameras listen; degraded, and going on, while the broker is away.
    """
    status = StatusFile(settings.run_directory, "demo")
    status.write("starting")
    cameras = await asyncio.to_thread(_cameras, settings)
    doors = _doors(settings, cameras)
    digest = Digest(settings.rtsp_user, settings.rtsp_password) if settings.rtsp_password else None
    server, studio = RtspServer(cameras, digest=digest), Studio(cameras)
    mail: contextlib.AbstractAsyncContextManager[int | None] = contextlib.nullcontext()
    if settings.mail_port is not None:
        mail = keeping_mail(settings.run_directory / FILE, settings.mail_port)
    try:
        async with (
            server.listening(settings.rtsp_host, settings.rtsp_port),
            mail,
            studio.open(),
            asyncio.TaskGroup() as tasks,
        ):
            if doors is not None:
                tasks.create_task(doors.run(stop), name="demo doors")
            said = _say_status(status, settings.run_directory / SKIPS_FILE, server, cameras, doors, stop)
            tasks.create_task(said, name="demo status")
            watch = tasks.create_task(studio.watch(), name="demo studio")
            await stop.wait()
            watch.cancel()
    except ExceptionGroup as group:
        # Errors that the operator must correct are reported unchanged.
        mine = next((error for error in group.exceptions if isinstance(error, TallenneError)), None)
        raise mine or group from group
    status.remove()


def _cameras(settings: DemoSettings) -> list[LiveCamera]:
    coding = live_settings(settings.size, settings.fps, settings.bit_rate, settings.gop_s)
    return [
        LiveCamera(path=one.path, number=one.number, name=one.name, settings=coding, seed=settings.seed)
        for one in settings.cameras
    ]


def _doors(settings: DemoSettings, cameras: list[LiveCamera]) -> Doors | None:
    """None in a gym without doors. A door's events let people walk in the pictures of all cameras that see it."""
    if not settings.doors:
        return None
    seen_by = {
        door.external_id: [
            camera
            for camera, told in zip(cameras, settings.cameras, strict=True)
            if door.external_id in told.door_external_ids
        ]
        for door in settings.doors
    }

    def show(event: DoorEvent, happening: Happening) -> None:
        """Let every camera that sees the door show the person who came."""
        report = Report(
            kind=event.kind,
            at_ns=event.occurred_ns,
            person=zlib.crc32(event.credential.encode()),
            people=happening.people,
            held=happening.held,
        )
        for camera in seen_by[event.door.external_id]:
            camera.scene.react(report)

    valid, expired = read_credentials(settings.members_csv, time.time_ns())
    traffic = Traffic(settings.doors, valid, expired, interval_s=settings.event_interval_s, seed=settings.seed)
    return Doors(settings, traffic, show)


async def _say_status(
    status: StatusFile,
    skips: Path,
    server: RtspServer,
    cameras: list[LiveCamera],
    doors: Doors | None,
    stop: asyncio.Event,
) -> None:
    while not stop.is_set():
        _note_skips(skips, cameras)
        _write(status, server, cameras, doors)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STATUS_EVERY_S)
    _write(status, server, cameras, doors, stopping=True)


def _note_skips(path: Path, cameras: list[LiveCamera]) -> None:
    """Before the status: who has read a later status has the skips until then."""
    lines = []
    for camera in cameras:
        while camera.skips:
            at_ns, pictures = camera.skips.popleft()
            lines.append(json.dumps({"camera": camera.number, "at_ns": at_ns, "pictures": pictures}) + "\n")
    if lines:
        with path.open("a") as file:
            file.writelines(lines)


def _write(
    status: StatusFile, server: RtspServer, cameras: list[LiveCamera], doors: Doors | None, *, stopping: bool = False
) -> None:
    away = doors is not None and doors.broker_away
    problem = {"what": "The simulated doors do not reach the broker.", "remedy": "Look whether it runs."}
    status.write(
        "stopping" if stopping else "degraded" if away else "ready",
        problems=[problem] if away else [],
        port=server.port,
        cameras=[
            {
                "number": camera.number,
                "name": camera.name,
                "path": camera.path,
                "readers": len(camera.readers),
                "frames": camera.frames,
                "skipped": camera.skipped,
                "slow_readers": camera.slow_readers,
            }
            for camera in cameras
        ],
        events=dict(doors.published) if doors is not None else {},
        events_lost=doors.lost if doors is not None else 0,
    )
