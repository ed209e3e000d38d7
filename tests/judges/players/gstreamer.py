"""GStreamer: qtdemux and libav's decoders, paused and sought."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.judges.looks import look_of
from tests.judges.picture import Look

_SCRIPT = Path(__file__).with_name("gst_seek.py")
_PYTHON = "/usr/bin/python3"
_NEEDS = {"qtdemux": "gstreamer1.0-plugins-good", "avdec_h264": "gstreamer1.0-libav"}


@functools.cache
def missing() -> str:
    test = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None)\n"
    test += f"print([n for n in {list(_NEEDS)} if Gst.ElementFactory.find(n) is None])"
    done = subprocess.run([_PYTHON, "-c", test], capture_output=True, text=True, check=False)
    if done.returncode:
        return "python3-gi or gir1.2-gstreamer-1.0 is not installed"
    lacking = [package for name, package in _NEEDS.items() if repr(name) in done.stdout]
    return f"{', '.join(lacking)} is not installed" if lacking else ""


def seek_accurate(clip: Path, times: Sequence[float]) -> list[Look]:
    """GST_SEEK_FLAG_ACCURATE: the picture that holds the time."""
    return _asked(clip, times, "accurate")


def seek_key_unit(clip: Path, times: Sequence[float]) -> list[Look]:
    """GST_SEEK_FLAG_KEY_UNIT with SNAP_BEFORE: the key frame before the time."""
    return _asked(clip, times, "key")


def _asked(clip: Path, times: Sequence[float], kind: str) -> list[Look]:
    decoder = "avdec_h265" if b"hvcC" in clip.read_bytes()[: 1 << 16] else "avdec_h264"
    command = [_PYTHON, str(_SCRIPT), str(clip), kind, decoder]
    done = subprocess.run(
        command, input=json.dumps(list(times)), capture_output=True, text=True, check=False, timeout=600
    )
    answers = [look_of(json.loads(line)) for line in done.stdout.splitlines()]
    return [*answers, *[Look(number=None, note=f"it ended: {done.stderr[-200:]}")] * (len(times) - len(answers))]
