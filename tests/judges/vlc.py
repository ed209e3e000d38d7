"""VLC: libvlc, paused and sought, its pictures taken from memory."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.judges.looks import look_of
from tests.judges.picture import Look

_SCRIPT = Path(__file__).with_name("vlc_seek.py")
_SIZE = (640, 384)


def missing() -> str:
    try:
        ctypes.CDLL("libvlc.so.5")
    except OSError:
        return "libvlc5 is not installed"
    return ""


def seek_paused(clip: Path, times: Sequence[float]) -> list[Look]:
    """``libvlc_media_player_set_time`` of a paused player: the picture that holds the time."""
    command = [sys.executable, str(_SCRIPT), str(clip), str(_SIZE[0]), str(_SIZE[1])]
    done = subprocess.run(
        command, input=json.dumps(list(times)), capture_output=True, text=True, check=False, timeout=600
    )
    answers = [look_of(json.loads(line)) for line in done.stdout.splitlines()]
    return [*answers, *[Look(number=None, note=f"it ended: {done.stderr[-200:]}")] * (len(times) - len(answers))]
