"""``python -m demo.rtsp_server`` as benchmarks use it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from benchmarks.floors.camera_bytes import play
from demo.errors import DemoMisuseError
from demo.loop import from_file, record
from demo.video import marker
from demo.video.canvas import Canvas
from demo.video.encoder import EncoderSettings
from demo.video.pictures import Scene

SMALL = ("--size", "640x360", "--fps", "25", "--gop", "25", "--bitrate", "1000000", "--loop", "2")


class Generator:
    """The child process, its first line and, after ``stop``, its last."""

    def __init__(self, *arguments: str, password: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo.rtsp_server", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DEMO_RTSP_PASSWORD": password},
        )
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())

    def stop(self) -> dict[str, Any]:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=10)
        assert self.process.returncode == 0
        return json.loads(out)


@contextlib.contextmanager
def generator(*arguments: str, password: str = "") -> Iterator[Generator]:
    made = Generator(*arguments, password=password)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()  # nothing, where it was stopped


def interleaved(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole frames of what a reader received, after the reply to PLAY."""
    at = data.index(b"\r\n\r\n") + 4
    while at + 4 <= len(data):
        assert data[at : at + 1] == b"$"
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 4 + length > len(data):
            return
        yield data[at + 1], data[at + 4 : at + 4 + length]
        at += 4 + length


def test_twenty_cameras_keep_their_pace_and_their_numbers() -> None:
    with generator("--cameras", "20", *SMALL) as made:
        assert len(made.said["urls"]) == 20 and 900_000 < made.said["bit_rate"] < 1_250_000
        connections = [play(url) for url in made.said["urls"]]
        received = [bytearray() for _ in connections]
        until = time.monotonic() + 6
        while time.monotonic() < until:
            for connection, data in zip(connections, received, strict=True):
                with contextlib.suppress(BlockingIOError):
                    data += connection.recv(1 << 20)
            time.sleep(0.02)
        told = made.stop()
        for connection in connections:
            connection.close()
    assert told["slow_readers"] == 0 and told["cpu_s"] < 6
    for number, data in enumerate(received):
        packets = [packet for channel, packet in interleaved(bytes(data)) if channel == 0]
        numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
        assert numbers == [(numbers[0] + at) % 65536 for at in range(len(numbers))]
        stamps = [read for packet in packets if (read := marker.read_stamp(packet))]
        assert {camera for _, camera in stamps} == {number}
        assert len(stamps) > 25 and stamps == sorted(stamps)
        # The pictures' own times keep to the wall clock, as far as the generator says that it did.
        told_ms, wall_ms = (len(stamps) - 1) * 40, stamps[-1][0] - stamps[0][0]
        assert abs(told_ms - wall_ms) <= told["late_max_ms"] + 40
        times = list(dict.fromkeys(int.from_bytes(packet[4:8], "big") for packet in packets))
        assert {(late - early) % 2**32 for early, late in itertools.pairwise(times)} == {3600}
    first_times = [next(interleaved(bytes(data)))[1][4:12] for data in received]
    assert len(set(first_times)) == 20  # each session has numbers of its own


@pytest.mark.parametrize("more", [(), ("--b-frames", "2"), ("--burst", "1")])
def test_libav_reads_over_the_end_of_the_loop(more: tuple[str, ...]) -> None:
    with generator(*SMALL, *more, "--user", "gym", password="open sesame") as made:
        url = made.said["urls"][0]
        with pytest.raises(av.HTTPUnauthorizedError):
            av.open(url, options={"rtsp_transport": "tcp"}, timeout=10)
        pts: list[int] = []
        url = url.replace("rtsp://", "rtsp://gym:open%20sesame@")
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
            container.streams.video[0].codec_context.options = {"err_detect": "explode"}
            for frame in container.decode(video=0):
                if frame.pts is not None:  # libav leaves out the first
                    pts.append(frame.pts)
                if len(pts) == 110:
                    break
        assert {late - early for early, late in itertools.pairwise(pts)} == {3600}


def film(path: Path, codec: str) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        scene, canvas = Scene(1, "File", (640, 360)), Canvas(640, 360)
        for index in range(50):
            scene.draw(canvas, index * 40_000_000)
            canvas.frame.pts = index
            canvas.frame.time_base = Fraction(1, 25)
            container.mux(stream.encode(canvas.frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_file_is_replayed_with_markers(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "clip.mp4"
    film(path, codec)
    settings = EncoderSettings(size=(640, 360), fps=Fraction(25), bit_rate=500_000, gop_frames=25)
    loop = from_file(path, settings)
    assert loop.frames == 50 and loop.ticks == 50 * 3600 and loop.fps == 25
    starts = [step for step in loop.steps if step.packets.first]
    assert len(starts) == 50 and all(step.packets.stamp_at > 0 for step in starts)
    assert sorted(step.rtp_ticks - starts[0].rtp_ticks for step in starts) == [3600 * at for at in range(50)]


def test_file_without_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"nothing")
    settings = EncoderSettings(size=(640, 360), fps=Fraction(25), bit_rate=500_000, gop_frames=25)
    with pytest.raises(DemoMisuseError):
        from_file(path, settings)


@pytest.mark.parametrize("bit_rate", [500_000, 2_000_000])
def test_loop_spends_the_bit_rate_that_was_asked_for(bit_rate: int) -> None:
    settings = EncoderSettings(size=(640, 360), fps=Fraction(25), bit_rate=bit_rate, gop_frames=50)
    assert record(settings, 4).bit_rate == pytest.approx(bit_rate, rel=0.25)
