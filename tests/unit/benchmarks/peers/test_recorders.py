"""A peer that gives up says so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.peers.recorders import recording, why_missing


def test_peer_whose_process_gives_up_says_so(tmp_path: Path) -> None:
    peer = "ffmpeg"
    if why_missing(peer):
        pytest.skip("ffmpeg is not installed")
    with recording(peer, ["rtsp://127.0.0.1:1/nothing"], tmp_path, 2.0, core=None) as running:
        deadline = time.monotonic() + 20
        while not running.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running.ended() == 1
        assert running.counted() == {"written_bytes": 0}
