"""Recovery: a spool of files that a killed recorder was writing is recovered; then it is found again at a start."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.frame.sealing import START_NS, Keys, make_keys
from domain.footage import Codec
from domain.ids import CameraId, SegmentId, new_id
from domain.time import NS
from ingest.spool import Beginning, Spool
from ingest.spool.metadata import Fragment
from runtime.settings import SpoolSettings
from storage.keys import RecorderIdentity
from storage.sealed import Sealer

_CODEC = Codec(name="h264", mime="avc1.640028", width=1920, height=1080)
_CAMERAS = 100
_FRAGMENT_BYTES = 48 << 10
_FRAGMENTS = 2
"""Two fragments of 48 KiB: ten thousand whole segments would be 50 GB. What recovery reads grows with a file's length
(one AES-free hash of it), what it decides does not."""


def measure(files: int, scratch: Path) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(headline, cases). Mending is one thread, as at a start."""
    settings = SpoolSettings(directory=scratch / "spool", max_bytes=50 << 30)
    keys, identity = make_keys(), RecorderIdentity.create(bytes(32))
    spool = Spool(settings)
    _tear(spool, keys, files)
    spool.close()
    torn_s, recovered, size = _recover(settings, identity)
    began = time.perf_counter()
    again = Spool(settings)
    waiting = again.waiting()
    found_s = time.perf_counter() - began
    for pending in waiting:
        again.metadata_of(pending)
    read_s = time.perf_counter() - began - found_s
    again.close()
    if not recovered == len(waiting) == files:
        raise AssertionError(f"{files} torn, {recovered} recovered, {len(waiting)} waiting")
    headline = {"recovery_s": torn_s + found_s, "recovery_files": float(files)}
    cases = [
        {"name": "torn files recovered", "files": files, "s": torn_s, "files_per_s": files / torn_s, "bytes": size},
        {"name": "finished files found at a start", "files": files, "s": found_s, "files_per_s": files / found_s},
        {"name": "their metadata read", "files": files, "s": read_s, "files_per_s": files / max(read_s, 1e-9)},
    ]
    return headline, cases


def _tear(spool: Spool, keys: Keys, files: int) -> None:
    """As kill -9 leaves them: full chunks, no trailer."""
    cameras = [CameraId(new_id()) for _ in range(_CAMERAS)]
    data = os.urandom(_FRAGMENT_BYTES)
    for number in range(files):
        start_ns = START_NS + number * 10 * NS
        segment_id = SegmentId(new_id())
        sealer = Sealer(
            site_id=keys.site,
            camera_id=keys.camera,
            segment_id=segment_id,
            hour_key=keys.hour_key,
            start_ns=START_NS,
            chunk_log2=16,
        )
        beginning = Beginning(
            site_id=keys.site,
            camera_id=cameras[number % _CAMERAS],
            segment_id=segment_id,
            start_ns=start_ns,
            codec=_CODEC,
            init_size=0,
            epoch=1,
        )
        file = spool.begin(beginning, sealer.header, expected_bytes=_FRAGMENTS * _FRAGMENT_BYTES)
        for part in range(_FRAGMENTS):
            at = part * _FRAGMENT_BYTES
            end_ns = start_ns + (part + 1) * NS // 2
            fragment = Fragment(
                start_ms=part * 500, offset=at, size=_FRAGMENT_BYTES, frames=12, key=part == 0, end_ns=end_ns
            )
            file.append(fragment, sealer.push(data))
        spool.abandon(file)


def _recover(settings: SpoolSettings, identity: RecorderIdentity) -> tuple[float, int, int]:
    """(seconds, files that hold footage, bytes left)."""
    began = time.perf_counter()
    spool = Spool(settings)
    outcomes = [spool.recover(place, identity).outcome for place in spool.torn()]
    took = time.perf_counter() - began
    size = sum(path.stat().st_size for path in spool.layout.segments.iterdir())
    spool.close()
    return took, sum(outcome in ("recovered", "published") for outcome in outcomes), size
