"""What a role says of itself, for `tallenne up`, `tallenne status` and whoever supervises it.

One JSON file per role instance in the run directory, replaced atomically. Keys every role writes:
``role``, ``instance``, ``pid``, ``state`` ("starting", "ready", "degraded", "stopping"), ``updated_ns``,
``problems`` (list of {"what", "remedy"}), and what the role's README lists.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_BLOCK_BYTES, _SPARE_BYTES = 4096, 2048
_log = logging.getLogger(__name__)


class StatusFile:
    """Writes ``<run_directory>/<role>-<instance>.json``. The file never holds personal data or secrets.

    A disk that is full or refuses must not end the role whose state is told: see ``write()``.
    """

    def __init__(self, run_directory: Path, role: str, instance: str = "0") -> None:
        self._path = run_directory / f"{role}-{instance}.json"
        self._told = ""  # why it could not be written, so that the log says so once
        self._fixed = {"role": role, "instance": instance, "pid": os.getpid()}

    def write(self, state: str, *, problems: Sequence[Mapping[str, str]] = (), **more: Any) -> None:
        """Replace the file. ``more`` must be JSON: counters and names.

        Never raises OSError. A full disk takes it in place, for which blanks at its end keep room; where even that is
        refused the old file grows old, and whoever reads it says so.
        """
        body = {**self._fixed, "state": state, "updated_ns": time.time_ns(), "problems": list(problems), **more}
        data = json.dumps(body).encode()
        data = data.ljust(-(-(len(data) + _SPARE_BYTES) // _BLOCK_BYTES) * _BLOCK_BYTES)
        scratch = self._path.with_suffix(".new")
        try:
            scratch.write_bytes(data)
            scratch.replace(self._path)
        except OSError as exc:
            self._refused(data, exc)
        else:
            self._told = ""

    def remove(self) -> None:
        """On an orderly stop. A file left behind by a dead pid means a crash."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _refused(self, data: bytes, exc: OSError) -> None:
        if self._told != (exc.strerror or ""):
            self._told = exc.strerror or ""
            _log.error("the status file cannot be written: %s", exc.strerror)
        with contextlib.suppress(OSError):
            self._path.with_suffix(".new").unlink(missing_ok=True)
        with contextlib.suppress(OSError), self._path.open("r+b", buffering=0) as file:
            room = os.fstat(file.fileno()).st_size
            if len(data.rstrip()) <= room:
                file.write(data.rstrip().ljust(room))


def read_status_files(run_directory: Path) -> list[dict[str, Any]]:
    """All roles' last words, sorted by role. Unreadable files are reported as a state of their own."""
    found: list[dict[str, Any]] = []
    for path in sorted(run_directory.glob("*.json")):
        try:
            found.append(json.loads(path.read_text()))
        except (OSError, ValueError):
            found.append({"role": path.stem, "instance": "?", "state": "unreadable", "problems": []})
    return found
