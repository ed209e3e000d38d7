"""A role's status file, read by `tallenne up`, `tallenne status` and the supervisor.

One JSON file per role instance in the run directory, replaced atomically, once a period. Keys every role writes:
``role``, ``instance``, ``pid``, ``state`` ("starting", "ready", "degraded", "stopping"), ``updated_ns`` (UTC),
``updated_mono_ns`` (this machine's monotonic clock, which no step of its time changes), ``period_s``, ``sandbox``
(what confines the process), ``problems`` (a list of {"topic", "what", "remedy", "since_ns", perhaps "waits_for"}), and
what the role's README lists.

Every fact in a status has the age of the status. ``statuses()`` reads them with their ages: what is older than three
periods is not known any more, and its state says "unknown"; what a dead process left behind says "dead".
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from domain.time import NS, to_iso
from runtime.private_files import replace_file
from runtime.sandbox.held import held_now

PERIOD_S: Final = 1.0
KNOWN_PERIODS: Final = 3
NOT_KNOWN: Final = ("unknown", "dead", "unreadable")
"""States of a role whose present state is unknown."""
_OF_WRITER: Final = ("role", "instance", "pid", "period_s", "updated_ns")
_BLOCK_BYTES, _SPARE_BYTES = 4096, 2048
_log = logging.getLogger(__name__)


class StatusFile:
    """Writes ``<run_directory>/<role>-<instance>.json``. The file never holds personal data or secrets.

    It is written every ``period_s`` by the event loop, from what is in memory: no question to another process comes
    before it, so that its age shows whether a role hangs or waits. A disk that is full or refuses must not end
    the role whose state it is: see ``write()``.
    """

    def __init__(self, run_directory: Path, role: str, instance: str = "0", *, period_s: float = PERIOD_S) -> None:
        self._path = run_directory / f"{role}-{instance}.json"
        self.period_s = period_s
        self._refusal = ""  # why it could not be written, so that the log says so once
        self._fixed = {"role": role, "instance": instance, "pid": os.getpid(), "period_s": period_s}
        self._fixed["sandbox"] = held_now().dump()

    def write(self, state: str, *, problems: Sequence[Mapping[str, Any]] = (), **more: Any) -> None:
        """Replace the file. ``more`` must be JSON: counters and names.

        Never raises OSError. A full disk takes it in place, for which blanks at its end keep room; where even that is
        refused the old file grows old, and readers report its age.
        """
        times = {"updated_ns": time.time_ns(), "updated_mono_ns": time.monotonic_ns()}
        data = json.dumps({**self._fixed, "state": state, **times, "problems": list(problems), **more}).encode()
        data = data.ljust(-(-(len(data) + _SPARE_BYTES) // _BLOCK_BYTES) * _BLOCK_BYTES)
        try:
            replace_file(self._path, data, mode=self._mode(), durable=False)
        except OSError as exc:
            self._refused(data, exc)
        else:
            self._refusal = ""

    def remove(self) -> None:
        """Remove the file, on an orderly stop. A file of a dead process means a crash."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _mode(self) -> int:
        """Roles under users of their own read one another's files, in a directory that is open to all of them."""
        return 0o644 if self._path.parent.stat().st_mode & 0o005 == 0o005 else 0o600

    def _refused(self, data: bytes, exc: OSError) -> None:
        if self._refusal != (exc.strerror or ""):
            self._refusal = exc.strerror or ""
            _log.error("the status file cannot be written: %s", exc.strerror)
        with contextlib.suppress(OSError), self._path.open("r+b", buffering=0) as file:
            room = os.fstat(file.fileno()).st_size
            if len(data.rstrip()) <= room:
                file.write(data.rstrip().ljust(room))


def read_status_files(run_directory: Path) -> list[dict[str, Any]]:
    """Return all roles' last statuses, sorted by role. An unreadable file has its own state."""
    found: list[dict[str, Any]] = []
    for path in sorted(run_directory.glob("*.json")):
        try:
            found.append(json.loads(path.read_text()))
        except (OSError, ValueError):
            found.append({"role": path.stem, "instance": "?", "state": "unreadable", "problems": []})
    return found


def statuses(run_directory: Path) -> list[dict[str, Any]]:
    """What is known of every role now: see ``aged()``. Files of others in the directory are left out."""
    mono_ns = time.monotonic_ns()
    return [aged(status, mono_ns, alive) for status in read_status_files(run_directory) if "role" in status]


def aged(status: dict[str, Any], mono_ns: int, is_alive: Callable[[int], bool]) -> dict[str, Any]:
    """The status; or, when its process is gone or it is older than three of its periods, no more than who said it when.

    Such a one has the state "dead" or "unknown" and the problem of that; ``cameras`` keep their names only.
    """
    if status.get("state") == "unreadable":
        return status
    age_ns = mono_ns - status.get("updated_mono_ns", mono_ns)
    if "pid" in status and not is_alive(status["pid"]):
        return _forgotten(status, "dead", "has died")
    if not 0 <= age_ns <= KNOWN_PERIODS * status.get("period_s", PERIOD_S) * NS:  # less than 0: of an earlier boot
        return _forgotten(status, "unknown", "has not reported")
    return status


def name_of(status: Mapping[str, Any]) -> str:
    """As people call the process: "ingest", or "ingest recorder-2" where that says more."""
    role, instance = str(status.get("role")), str(status.get("instance", "0"))
    return role if instance in ("0", "?", "None") else f"{role} {instance}"


def alive(pid: int) -> bool:
    """Whether a process with this id runs, under any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _forgotten(status: dict[str, Any], state: str, how: str) -> dict[str, Any]:
    since_ns = status.get("updated_ns", 0)
    kept: dict[str, Any] = {key: status[key] for key in _OF_WRITER if key in status}
    problem = {
        "what": f"The role {name_of(status)} {how} since {to_iso(since_ns)}.",
        "remedy": "`tallenne up` starts it again; where it runs by itself, start it, and look into its log.",
        "since_ns": since_ns,
    }
    cameras = status.get("cameras")
    if isinstance(cameras, dict):
        kept["cameras"] = {key: {"name": one.get("name", key)} for key, one in cameras.items()}
    return {**kept, "state": state, "problems": [problem]}
