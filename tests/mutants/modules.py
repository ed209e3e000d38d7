"""Where faults are put, and which unit tests must find them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

HELD: Final = (
    *("domain/time.py", "domain/ids.py", "storage/claims/flaws.py"),
    *(f"indexer/events/{name}.py" for name in ("rules", "sequence", "skew")),
    *("api/sign_in/rights.py", "api/http/ranges.py", "custodian/protocol.py"),
    *(f"api/credentials/{name}.py" for name in ("second_factor", "secret_key", "throttle")),
    "ingest/rtsp/signalling/auth.py",
)
"""Modules whose unit tests are known to find nearly all: `./test` holds them to it."""

MODULES: Final = (
    *HELD,
    *(f"storage/sealed/{name}.py" for name in ("format", "names", "opener", "reader", "recovery", "sealer", "unwrap")),
    *(f"storage/keys/{name}.py" for name in ("cache", "hour_key", "identity", "intake", "keyring", "keyring_file")),
    *(f"storage/mp4/{name}.py" for name in ("boxes", "init", "moof", "parameter_sets", "sidx", "walker")),
    *("custodian/audit/chain.py", "custodian/audit/log.py"),
    *("api/http/times.py", "api/http/connection_limit.py", "api/export/rights.py"),
    *("api/footage/plan.py", "api/footage/reader.py", "api/footage/sent.py"),
    *(f"ingest/media/{name}.py" for name in ("arrivals", "clock", "course", "fragments", "segmenter", "stamps")),
    *("ingest/rtp/h264.py", "ingest/rtp/h265.py", "ingest/rtp/packet.py"),
    *(f"ingest/spool/{name}.py" for name in ("gaps", "metadata", "positions", "records", "spool")),
    *("runtime/backoff.py", "runtime/private_files.py", "runtime/transitions.py"),
)

_MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest/rtp/h264.py": ("tests/unit/ingest/video/test_payloads.py",),
    "ingest/rtp/h265.py": ("tests/unit/ingest/video/test_payloads.py",),
    "ingest/rtp/packet.py": ("tests/unit/ingest/video/test_payloads.py",),
}
"""Tests beside the module's own."""


def judges_of(module: str) -> list[str]:
    """Paths of the unit tests that judge a module."""
    path = Path(module)
    own = Path("tests/unit") / path.parent / f"test_{path.name}"
    found = [str(own)] if (ROOT / own).exists() else []
    return found + list(_MORE.get(module, ()))
