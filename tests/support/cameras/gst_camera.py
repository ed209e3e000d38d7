"""Debian's gst-rtsp-server as a camera, for tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).resolve().parent / "gst_rtsp_server.py"
NEEDS = {
    "x264enc": "gstreamer1.0-plugins-ugly",
    "x265enc": "gstreamer1.0-plugins-bad",
    "rtph264pay": "gstreamer1.0-plugins-good",
    "videotestsrc": "gstreamer1.0-plugins-base",
}
PROBE = (
    'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import Gst, GstRtspServer;'
    f"Gst.init(None); print([name for name in {list(NEEDS)} if Gst.ElementFactory.find(name) is None])"
)


def require_gstreamer() -> None:
    """Skips where it is not installed, and says what is missing."""
    if not Path(PYTHON).exists():
        pytest.skip(f"{PYTHON} is not installed")
    done = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("python3-gi or gir1.2-gst-rtsp-server-1.0 is not installed")
    if lacking := [package for name, package in NEEDS.items() if repr(name) in done.stdout]:
        pytest.skip(f"{', '.join(lacking)} is not installed")


@contextmanager
def serving(**given: Any) -> Iterator[str]:
    """The camera's address."""
    process = subprocess.Popen(
        [PYTHON, str(SCRIPT), json.dumps({"codec": "h264", **given})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        scheme = "rtsps" if given.get("certificate") else "rtsp"
        yield f"{scheme}://127.0.0.1:{process.stdout.readline().strip()}/live"
    finally:
        process.terminate()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
