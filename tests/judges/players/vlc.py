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
_BUFFERS_MS = (300, 3000)


def missing() -> str:
    try:
        ctypes.CDLL("libvlc.so.5")
    except OSError:
        return "libvlc5 is not installed"
    return ""


def seek_paused(clip: Path, times: Sequence[float]) -> list[Look]:
    """``libvlc_media_player_set_time`` of a paused player: the picture that holds the time.

    A paused VLC reads as far as its buffer says: at two pictures a second a short one shows nothing, near the end of
    the file a long one. What the usual one does not show is asked for with a long one.
    """
    looks = _asked(clip, times, _BUFFERS_MS[0])
    unseen = [place for place, look in enumerate(looks) if look.number is None and not look.smeared]
    again = _asked(clip, [times[place] for place in unseen], _BUFFERS_MS[1]) if unseen else []
    for place, look in zip(unseen, again, strict=True):
        looks[place] = look
    return looks


def _asked(clip: Path, times: Sequence[float], buffer_ms: int) -> list[Look]:
    command = [sys.executable, str(_SCRIPT), str(clip), *map(str, _SIZE), f"--file-caching={buffer_ms}"]
    done = subprocess.run(
        command, input=json.dumps(list(times)), capture_output=True, text=True, check=False, timeout=1500
    )
    answers = [look_of(json.loads(line)) for line in done.stdout.splitlines()]
    return [*answers, *[Look(number=None, note=f"it ended: {done.stderr[-200:]}")] * (len(times) - len(answers))]
