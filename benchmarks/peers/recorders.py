"""What one would pick instead: a process per camera that writes plain files, and the same job as ours from parts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PEERS = ("ffmpeg", "gstreamer", "parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A peer at work on some cameras."""

    pids: tuple[int, ...]
    directory: Path

    def recorded_bytes(self) -> int:
        """What lies on disk by now."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())


def why_missing(peer: str) -> str | None:
    """None when the peer can run here, else what is missing."""
    needed = {"ffmpeg": ["ffmpeg"], "gstreamer": ["gst-launch-1.0"], "parts": ["ffmpeg", "age", "age-keygen", "rclone"]}
    absent = [program for program in needed[peer] if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def version(peer: str) -> str:
    """The peer's own first line about itself."""
    program = {"ffmpeg": ["ffmpeg", "-version"], "gstreamer": ["gst-launch-1.0", "--version"]}
    said = subprocess.run(program.get(peer, ["age", "--version"]), capture_output=True, text=True, check=True)
    return said.stdout.splitlines()[0]


def ffmpeg_command(url: str, directory: Path) -> list[str]:
    """Copy to 10 s files, as Frigate, Viseron and ZoneMinder do it."""
    receive = ["ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"]
    segment = ["-f", "segment", "-segment_time", "10", "-reset_timestamps", "1"]
    return [*receive, *segment, str(directory / "%05d.mp4")]


def gstreamer_command(url: str, directory: Path) -> list[str]:
    """The same with GStreamer's own segmenter."""
    source = ["rtspsrc", f"location={url}", "protocols=tcp", "latency=0"]
    sink = ["splitmuxsink", f"location={directory}/%05d.mp4", "max-size-time=10000000000"]
    return ["gst-launch-1.0", "-q", *source, "!", "rtph264depay", "!", "h264parse", "!", *sink]


@contextmanager
def recording(peer: str, urls: Sequence[str], directory: Path, *, core: int | None) -> Iterator[Running]:
    """Run ``peer`` on every camera, pinned to ``core``; ended by id afterwards."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for number, url in enumerate(urls):
            camera = directory / f"camera-{number}"
            camera.mkdir(parents=True)
            command = gstreamer_command(url, camera) if peer == "gstreamer" else ffmpeg_command(url, camera)
            processes.append(_pinned(command, core))
        yield Running(pids=tuple(process.pid for process in processes), directory=directory)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _pinned(command: Sequence[str], core: int | None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process
