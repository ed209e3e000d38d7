"""Metrics of cameras say what is known now, and of what is not known only since when."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, generate_latest

from api.metrics.cameras import CameraCollector
from domain.ids import CameraId
from domain.time import NS
from storage.catalogue.camera_health import Known

CAMERA = CameraId(UUID(int=7))
LABELS = f'camera="Hall",camera_id="{CAMERA}"'


def collected(report: dict[str, Any] | None) -> list[str]:
    registry = CollectorRegistry()
    known = {CAMERA: Known(report=report, updated_ns=90 * NS)}
    registry.register(CameraCollector([{"camera_id": CAMERA, "name": "Hall"}], known, 100 * NS))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_camera_that_is_known_has_its_figures() -> None:
    found = collected({"state": "recording", "frames_per_s": 12.5, "last_error": ""})
    assert f'tallenne_camera_state{{{LABELS},state="recording"}} 1.0' in found
    assert f"tallenne_camera_frames_per_second{{{LABELS}}} 12.5" in found


def test_camera_of_a_silent_recorder_has_its_age_and_no_figures() -> None:
    assert collected(None) == [
        f'tallenne_camera_state{{{LABELS},state="unknown"}} 1.0',
        f"tallenne_camera_health_age_seconds{{{LABELS}}} 10.0",
    ]
