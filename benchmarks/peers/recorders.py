"""What one would pick instead: a process per camera that writes plain files, and the same job as ours from parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded.process import die_with_parent

_APART_S = 0.1
"""Pause between two starts: of fifty that start at once on one core, the cameras cut the slow ones off."""

PEERS = ("ffmpeg", "gstreamer", "parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A peer at work on some cameras."""

    pids: tuple[int, ...]
    cameras: tuple[Path, ...]  # a directory each, where files appear
    counted: Callable[[], dict[str, int]]  # what it has done so far
    ended: Callable[[], int]  # how many of its processes have given up


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


def ffmpeg_command(url: str, directory: Path, segment_s: float) -> list[str]:
    """Copy to short files, as Frigate, Viseron and ZoneMinder do it."""
    receive = ["ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"]
    segment = ["-f", "segment", "-segment_time", str(segment_s), "-reset_timestamps", "1"]
    return [*receive, *segment, str(directory / "%05d.mp4")]


def gstreamer_command(url: str, directory: Path, segment_s: float) -> list[str]:
    """The same with GStreamer's own segmenter."""
    source = ["rtspsrc", f"location={url}", "protocols=tcp", "latency=0"]
    sink = ["splitmuxsink", f"location={directory}/%05d.mp4", f"max-size-time={round(segment_s * 1e9)}"]
    return ["gst-launch-1.0", "-q", *source, "!", "rtph264depay", "!", "h264parse", "!", *sink]


@contextmanager
def recording(
    peer: str, urls: Sequence[str], directory: Path, segment_s: float, *, core: int | None
) -> Iterator[Running]:
    """Run ``peer`` on every camera, pinned to ``core``; ended by id afterwards."""
    processes: list[subprocess.Popen[bytes]] = []
    try:

        def counted() -> dict[str, int]:
            return {"written_bytes": sum(map(_size, directory.rglob("*")))}

        def ended() -> int:
            return sum(process.poll() is not None for process in processes)

        folders = tuple(directory / f"camera-{number}" for number in range(len(urls)))
        for camera, url in zip(folders, urls, strict=True):
            camera.mkdir(parents=True)
            make = gstreamer_command if peer == "gstreamer" else ffmpeg_command
            processes.append(pinned_process(make(url, camera, segment_s), core))
            time.sleep(_APART_S)
        yield Running(pids=tuple(process.pid for process in processes), cameras=folders, counted=counted, ended=ended)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def pinned_process(command: Sequence[str], core: int | None, directory: Path | None = None) -> subprocess.Popen[bytes]:
    """Silent, in ``directory``, on ``core``."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=directory, preexec_fn=die_with_parent
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # taken away by now
        return 0
