"""Steps that the tests of recordings share."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.recording import CameraRecording
from ingest.spool import SpoolError, SpoolFullError
from storage.sealed.format import TRAILER_SIZE, parse_trailer
from tests.support.footage.recording import Rig, until


def causes(rig: Rig) -> list[tuple[GapCause, float]]:
    return [(gap.cause, gap.span.duration_ns / NS) for gap in rig.catalogue.gaps(rig.cameras[0])]


def left_in_spool(rig: Rig) -> list[str]:
    return sorted(path.name for path in (rig.directory / "spool" / "segments").iterdir())


async def abandoned(rig: Rig, fragments: int = 3, *, size: int = 20_000) -> None:
    """A recorder that dies with a segment open: nothing is told, nothing is finished."""
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder() as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            rig.begin(camera)
            rig.hand_in(camera, fragments, size=size)
            raise KeyboardInterrupt


async def segment_or_gap(rig: Rig, camera: CameraRecording, fragments: int, size: int) -> int:
    end_ns = rig.now_ns + fragments * NS // 2
    try:
        rig.segment(camera, fragments, size=size)
    except (SpoolError, SpoolFullError) as error:
        cause = GapCause.SPOOL_FULL if isinstance(error, SpoolFullError) else GapCause.STORAGE
        rig.now_ns = end_ns
        assert not camera.open
        camera.missing(rig.now_ns, cause)
        return 1
    finally:
        await asyncio.sleep(0.01)
    return 0


async def recorded_with_gaps(rig: Rig, *, segments: int, fragments: int, size: int = 20_000) -> int:
    """As ingest does: what could not be written becomes a gap. How often it was refused."""
    errors = 0
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(segments):
            errors += await segment_or_gap(rig, camera, fragments, size)
        rig.stop(camera)
        await until(lambda: not left_in_spool(rig) or recorder.stats().pending == 0)
    return errors


def assert_chained(rig: Rig) -> None:
    trailers = [data[-TRAILER_SIZE:] for _, data in sorted(rig.store.objects.items(), key=lambda item: item[0])]
    previous = bytes(32)
    for trailer in trailers:
        assert parse_trailer(trailer).previous_sha256 == previous
        previous = hashlib.sha256(trailer).digest()


def killed(*_: object) -> None:
    raise KeyboardInterrupt
