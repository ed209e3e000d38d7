"""What a role says of itself, for `tallenne up`, `tallenne status` and whoever supervises it.

One JSON file per role instance in the run directory, replaced atomically. Keys every role writes:
``role``, ``instance``, ``pid``, ``state`` ("starting", "ready", "degraded", "stopping"), ``updated_ns``,
``problems`` (list of {"what", "remedy"}), and what the role's README lists.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class StatusFile:
    """Writes ``<run_directory>/<role>-<instance>.json``. The file never holds personal data or secrets."""

    def __init__(self, run_directory: Path, role: str, instance: str = "0") -> None:
        self._path = run_directory / f"{role}-{instance}.json"
        self._fixed = {"role": role, "instance": instance, "pid": os.getpid()}

    def write(self, state: str, *, problems: Sequence[Mapping[str, str]] = (), **more: Any) -> None:
        """Replace the file. ``more`` must be JSON: counters and names."""
        body = {**self._fixed, "state": state, "updated_ns": time.time_ns(), "problems": list(problems), **more}
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(body))
        scratch.replace(self._path)

    def remove(self) -> None:
        """On an orderly stop. A file left behind by a dead pid means a crash."""
        self._path.unlink(missing_ok=True)


def read_status_files(run_directory: Path) -> list[dict[str, Any]]:
    """All roles' last words, sorted by role. Unreadable files are reported as a state of their own."""
    found: list[dict[str, Any]] = []
    for path in sorted(run_directory.glob("*.json")):
        try:
            found.append(json.loads(path.read_text()))
        except (OSError, ValueError):
            found.append({"role": path.stem, "instance": "?", "state": "unreadable", "problems": []})
    return found
