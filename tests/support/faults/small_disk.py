"""A recorder on a disk that is full: ``python -m tests.support.faults.small_disk DIR``, DIR being a small file system.

Exits with 0 when everything held, else with a traceback.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from domain.footage import GapCause
from domain.time import NS
from ingest.recording import CameraRecording, Recorder, recorder
from ingest.spool import Spool, SpoolError, SpoolFullError
from tests.support.footage.recording import Rig, make_rig, until

recorder._RECOVER_EVERY_S = 0.1


async def main(disk: Path) -> None:
    await whole_day(disk / "seen", SpoolFullError)
    # The same when the check of the disk's room comes too early to see it: the writes themselves fail.
    Spool.check_room = lambda self, wanted_bytes: None  # type: ignore[method-assign]
    await whole_day(disk / "unseen", SpoolError)


async def whole_day(disk: Path, expected: type[SpoolError]) -> None:
    rig = make_rig(disk)
    await while_recording(rig, disk)
    await at_the_start(rig, disk)
    live = rig.check(lost_at_most=60)
    causes = {gap.cause for gap in rig.catalogue.gaps(rig.cameras[0])}
    assert (GapCause.SPOOL_FULL if expected is SpoolFullError else GapCause.STORAGE) in causes, causes
    shutil.rmtree(disk)
    print(f"{len(live)} segments, {sorted(causes)}, {len(rig.handed_in[rig.cameras[0]])} fragments handed in")


async def while_recording(rig: Rig, disk: Path) -> None:
    rig.store.away = True
    async with rig.recorder() as running:
        camera = rig.camera(running)
        camera.resume(rig.now_ns)
        refused = [record(rig, camera) for _ in range(2)]
        assert refused == [False, False]
        rig.begin(camera)
        rig.hand_in(camera, 2)
        full(disk)
        refused = [record(rig, camera, goes_on=True), *(record(rig, camera) for _ in range(6))]
        assert any(refused), "nothing was refused: the disk is not full"  # positive control
        await turns(running)
        uploaded = running.stats().uploaded
        rig.store.away = False
        await until(lambda: running.stats().uploaded > uploaded)
        room(disk)
        record(rig, camera)
        assert not record(rig, camera)
        rig.stop(camera)
        await until(lambda: running.stats().pending == 0 and not parts(disk))


async def at_the_start(rig: Rig, disk: Path) -> None:
    """A crash, and at the next start the disk is full: uploading goes on, mending follows when there is room."""
    rig.now_ns += NS
    rig.catalogue.away = True
    try:
        async with rig.recorder(drain_s=0) as running:
            camera = rig.camera(running)
            camera.resume(rig.now_ns)
            record(rig, camera)
            rig.begin(camera)
            rig.hand_in(camera, 4, size=60_000)
            full(disk)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    rig.now_ns += NS
    rig.catalogue.away = False
    async with rig.recorder() as running:
        camera = rig.camera(running)
        camera.resume(rig.now_ns)
        await until(lambda: running.stats().uploaded >= 1)
        record(rig, camera)
        await turns(running)
        room(disk)
        await until(lambda: not parts(disk))
        record(rig, camera)
        rig.stop(camera)
        await until(lambda: running.stats().pending == 0)


def record(rig: Rig, camera: CameraRecording, *, goes_on: bool = False) -> bool:
    """One segment, or a gap: as ingest does. Whether it was refused."""
    end_ns = rig.now_ns + 2 * NS
    try:
        if goes_on:
            rig.hand_in(camera, 4)
            camera.finish(rig.now_ns)
        else:
            rig.segment(camera, 4)
    except SpoolError as error:
        rig.now_ns = end_ns
        cause = GapCause.SPOOL_FULL if isinstance(error, SpoolFullError) else GapCause.STORAGE
        camera.missing(rig.now_ns, cause)
        return True
    return False


async def turns(running: Recorder) -> None:
    """The event loop goes on turning."""
    async with asyncio.timeout(60):
        for _ in range(30):
            await asyncio.sleep(0.02)
            running.stats()


def parts(disk: Path) -> list[Path]:
    return list((disk / "spool" / "segments").glob("*.part"))


def full(disk: Path) -> None:
    """Somebody else takes all that is left."""
    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert os.statvfs(disk).f_bavail == 0


def room(disk: Path) -> None:
    (disk / "ballast").unlink()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
