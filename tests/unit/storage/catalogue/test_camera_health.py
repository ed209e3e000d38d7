"""Reports of cameras go to the database as JSON, each beside its camera."""

from __future__ import annotations

import json
from uuid import UUID

from domain.ids import CameraId
from storage.catalogue.camera_health import save_health
from tests.support.database.recording_pool import RecordingPool


async def test_reports_are_saved_beside_their_cameras() -> None:
    pool = RecordingPool()
    reports = {CameraId(UUID(int=n)): {"state": "recording", "frames": n} for n in (2, 1)}
    await save_health(pool, reports, 99)
    ids, texts, now_ns = pool.arguments
    assert {camera: json.loads(text) for camera, text in zip(ids, texts, strict=True)} == reports
    assert now_ns == 99
