"""One whole run of the smoke's checks with cameras that Debian's gst-rtsp-server serves.

It relays the demo's film as it is coded, so that strip and marker are in the pictures; the recorder speaks with it
alone: its RTSP, its digest, its RTP packets.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import pytest

from pipeline.demo import gym as demo_gym
from pipeline.demo.gym import RTSP_USER, make_demo
from pipeline.installation import Installation
from pipeline.secret_files import read_secret
from pipeline.smoke import run as smoke_run
from pipeline.smoke.lateness import Lateness
from pipeline.smoke.run import checked
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from runtime.status import read_status_files
from tests.support.cameras.gst_camera import require_gstreamer, serving

pytestmark = [pytest.mark.services, pytest.mark.slow]
CAMERAS = 2
# The relay gives pictures times of its own, which follow the least delay it has seen: on a busy machine 39 ms apart
# for a while rather than 40, and then 44. Two pictures in eight seconds were seen; a lost one shows in the losses.
FRAMES_OFF = 4


async def test_smoke_checks_hold_against_a_server_not_written_here(
    monkeypatch: pytest.MonkeyPatch, late: Lateness
) -> None:
    require_gstreamer()
    # What the relay held back on a busy machine came late; nothing in it says so.
    monkeypatch.setattr(smoke_run, "_TIMECODE_LIMIT_MS", 200.0 + 500.0)
    with tempfile.TemporaryDirectory(prefix="tallenne-gst-") as folder:
        installation = Installation(Path(folder) / "data")
        installation.prepare()
        gym, _ = make_demo(installation, CAMERAS)
        word = read_secret(installation.secrets / "demo-camera.secret")
        relays = {f"/camera/{number}": f"rtsp://127.0.0.1:{gym.rtsp_port}/camera/{number}" for number in (1, 2)}
        with serving(
            relays=relays, relay_user=RTSP_USER, relay_password=word, user=RTSP_USER, password=word
        ) as address:
            port = int(address.rpartition(":")[2].partition("/")[0])
            written = demo_gym._toml
            monkeypatch.setattr(
                demo_gym,
                "_toml",
                lambda gym, place: written(gym, place).replace(f"127.0.0.1:{gym.rtsp_port}/", f"127.0.0.1:{port}/"),
            )
            async with running(
                UpOptions(config=None, data=installation.root, cameras=CAMERAS), Tell(quiet=True)
            ) as gym_runs:
                result = await checked(gym_runs, Tell(quiet=True), time.monotonic(), late, frames_off=FRAMES_OFF)
                statuses = {status.get("role"): status for status in read_status_files(installation.run)}
    assert result["ok"], json.dumps(result)
    assert result["frames"] > 0
    assert abs(result["frames"] - result["frames_expected"]) <= FRAMES_OFF
    assert result["tags"] == result["tags_expected"]
    assert result["clear_files"] == 0
    cameras = statuses["ingest"]["cameras"].values()
    assert {camera["source"] for camera in cameras} == {"native"}
    assert all(camera["losses"] == 0 for camera in cameras)
    assert all(camera["readers"] == 1 for camera in statuses["demo"]["cameras"])  # gst-rtsp-server alone
