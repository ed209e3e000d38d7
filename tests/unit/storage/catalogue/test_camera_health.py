"""Reports of cameras go to the database as JSON, each beside its camera; what is too old is not known any more."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from domain.ids import CameraId
from domain.time import NS
from storage.catalogue.camera_health import HEALTH_EVERY_S, known_now, save_health
from tests.support.database.recording_pool import RecordingPool


async def test_reports_are_saved_beside_their_cameras() -> None:
    pool = RecordingPool()
    reports = {CameraId(UUID(int=n)): {"state": "recording", "frames": n} for n in (2, 1)}
    await save_health(pool, reports, 99)
    ids, texts, now_ns = pool.arguments
    assert {camera: json.loads(text) for camera, text in zip(ids, texts, strict=True)} == reports
    assert now_ns == 99


CAMERA = CameraId(UUID(int=7))
NOW_NS = 1_800_000_000 * NS


def row(age_s: float, state: str = "recording") -> dict[str, Any]:
    return {
        "camera_id": CAMERA,
        "updated_ns": NOW_NS - int(age_s * NS),
        "health": json.dumps({"state": state, "of": "row"}),
    }


def recorder(state: str, age_s: float) -> dict[str, Any]:
    cameras = {str(CAMERA): {"state": "recording", "of": "status"}}
    return {"role": "ingest", "state": state, "updated_ns": NOW_NS - int(age_s * NS), "cameras": cameras}


def of(rows: list[dict[str, Any]], *statuses: dict[str, Any]) -> tuple[str, float | None]:
    known = known_now(rows, statuses, NOW_NS)[CAMERA]
    age_s = None if known.updated_ns is None else (NOW_NS - known.updated_ns) / NS
    return ("unknown" if known.report is None else known.report["of"], age_s)


def test_row_older_than_three_periods_says_nothing_of_now() -> None:
    assert of([row(3 * HEALTH_EVERY_S)]) == ("row", 15)
    assert of([row(3 * HEALTH_EVERY_S + 0.1)]) == ("unknown", 15.1)
    assert of([{"camera_id": CAMERA, "updated_ns": None, "health": None}]) == ("unknown", None)


def test_recorder_of_this_machine_says_more_than_its_row() -> None:
    assert of([row(4)], recorder("ready", 0.5)) == ("status", 0.5)
    assert of([row(4)], recorder("unknown", 3.5)) == ("unknown", 3.5)  # a second later than the row would be noticed
    assert of([row(4)], {"role": "index", "state": "unknown", "cameras": {}}) == ("row", 4)


def test_camera_that_another_recorder_has_taken_over_is_known_by_its_row() -> None:
    assert of([row(4)], recorder("dead", 600)) == ("row", 4)
