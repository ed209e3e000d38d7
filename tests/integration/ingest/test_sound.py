"""Sound from a server not written here, only where it is asked for; what cannot be kept never stops the pictures."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import subprocess
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from domain.footage import Segment
from domain.time import NS
from ingest.access_unit import Sound
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from ingest.settings import SourceKind
from ingest.sources import Sources
from tests.support.cameras.gst_camera import require_gstreamer, serving
from tests.support.cameras.native import camera
from tests.support.footage.recording import Rig, make_rig
from tests.support.footage.sealed import START_NS


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    require_gstreamer()


async def recorded(rig: Rig, address: str, seconds: float, **more: Any) -> tuple[Camera, list[tuple[Segment, bytes]]]:
    """The camera, and its segments in clear."""
    async with rig.recorder() as recorder:
        settings = camera(address, segment_s=3.0, segment_max_s=6.0, **more)
        clock = RecorderClock(time.monotonic_ns(), START_NS)
        made = Camera(settings, rig.camera(recorder), Sources().make, clock, random.Random(1))
        task = asyncio.create_task(made.run())
        await asyncio.sleep(seconds)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        made.stop()
    return made, [(item, rig.plaintext(item)) for item in rig.catalogue.live()]


def probed(path: Path, mp4: bytes) -> list[dict[str, Any]]:
    """The streams; ffprobe must have nothing to say."""
    path.write_bytes(mp4)
    command = ["ffprobe", "-v", "warning", "-count_frames", "-show_streams", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    streams: list[dict[str, Any]] = json.loads(done.stdout)["streams"]
    return streams


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe (Debian: ffmpeg) is not installed")
@pytest.mark.parametrize(("codec", "rate"), [("h264", 44100), ("h265", 16000)])
async def test_aac_is_recorded_where_it_is_asked_for(tmp_path: Path, codec: str, rate: int) -> None:
    rig = make_rig(tmp_path)
    with serving(codec=codec, sound="aac", rate=rate) as address:
        made, segments = await recorded(rig, address, 11, audio=True, audio_reason="a test")
    assert made.health.sound == "recorded"
    assert len(segments) >= 2
    heard_s = seen_s = 0.0
    for number, (item, plain) in enumerate(segments):
        assert item.codec.mime.endswith(",mp4a.40.2")
        video, sound = probed(tmp_path / "segment.mp4", plain)
        assert (video["codec_type"], sound["codec_name"], sound["sample_rate"]) == ("video", "aac", str(rate))
        assert int(video["nb_read_frames"]) == item.frames
        heard_s += int(sound["nb_read_frames"]) * 1024 / rate
        seen_s += item.span.duration_ns / NS
        # The server's coder of sound begins later than that of pictures, by how much depends on the machine.
        late_s = 1.0 if number == 0 else 0.35
        assert abs(float(sound["start_time"]) - float(video["start_time"])) < late_s
    assert heard_s == pytest.approx(seen_s, abs=0.8)  # at the very start the sound settles
    if shutil.which("gst-launch-1.0"):
        line = (
            f"filesrc location={tmp_path / 'segment.mp4'} ! qtdemux name=d d.audio_0 ! aacparse ! fakesink silent=false"
        )
        command = ["gst-launch-1.0", "-v", *line.split()]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.count("chain   ***") == int(sound["nb_read_frames"])
        assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sound": "aac"}, ""),  # never asked for unless the configuration says so
        ({"sound": "alaw", "audio": True}, "PCMA"),
        ({"audio": True}, "sends no sound"),
    ],
)
async def test_pictures_go_on_without_sound(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    audio = more.pop("audio", False)
    rig = make_rig(tmp_path)
    with serving(**more) as address:
        made, segments = await recorded(rig, address, 6, audio=audio, audio_reason="a test" if audio else "")
    assert words in made.health.sound
    assert bool(made.health.sound) == bool(words)
    assert made.health.frames > 80
    assert segments
    assert all(b"mp4a" not in plain and "mp4a" not in item.codec.mime for item, plain in segments)


async def test_sound_and_pictures_agree_by_the_cameras_reports() -> None:
    """Where the server's sender reports put sound, and where its arrival does: not far from each other."""
    with serving(sound="aac") as address:
        source = Sources().make(camera(address, source=SourceKind.NATIVE, audio=True, audio_reason="a test"))
        leads: list[Sound] = []
        first_picture = None
        async with asyncio.timeout(30), aclosing(source.batches()) as batches:
            async for batch in batches:
                first_picture = first_picture or batch[0]
                leads += [sound for sound in source.take_sounds() if sound.lead_ticks is not None]
                if len(leads) > 50:
                    break
    lead = leads[-1]
    assert lead.lead_ticks is not None
    arrived_ticks = (lead.mono_ns - first_picture.mono_ns) * 9 // 100_000  # type: ignore[union-attr]
    shown_ticks = lead.pts_ticks + lead.lead_ticks - first_picture.pts_ticks  # type: ignore[union-attr]
    assert abs(arrived_ticks - shown_ticks) < 90_000


async def test_connection_without_audio_does_not_set_it_up() -> None:
    with serving(sound="aac") as address:
        source = Sources().make(camera(address, source=SourceKind.NATIVE))
        async with asyncio.timeout(20), aclosing(source.batches()) as batches:
            async for _ in batches:
                break
        assert source.sound is None
        assert source.take_sounds() == []
