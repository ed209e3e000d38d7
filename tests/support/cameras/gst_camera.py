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
PROBE = (
    'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import Gst, GstRtspServer;'
    "Gst.init(None); assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('x265enc')"
)


def require_gstreamer() -> None:
    """Skips where it is not installed."""
    if not Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", PROBE], capture_output=True, check=False).returncode:
        pytest.skip("gst-rtsp-server is not installed (gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-ugly and -bad)")


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
