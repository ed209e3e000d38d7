"""Roles that an earlier `tallenne up` left behind on this data directory: it was killed, and they were stuck.

The kernel asks a role to end when its parent dies (``die_with_parent``). One that is stopped or spins does not hear it,
and goes on holding the spool, the keyring and its address.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from runtime.status import alive

ROLES: Final = ("backup-role", "custodian", "demo-gym", "index", "keeper", "live", "notify", "serve", "ingest")
GRACE_S: Final = 10.0


def end_leftovers(root: Path, *, grace_s: float = GRACE_S) -> list[int]:
    """Ask them to end, by force after ``grace_s``; their process ids. Call it with the directory's lock held."""
    found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is_role_of(pid, root)]  # noqa: PTH208
    for pid in found:
        _send(pid, signal.SIGTERM)
        _send(pid, signal.SIGCONT)  # a stopped one would not hear of the first
    deadline_s = time.monotonic() + grace_s
    while left := [pid for pid in found if alive(pid) and _is_role_of(pid, root)]:
        if time.monotonic() > deadline_s:
            for pid in left:
                _send(pid, signal.SIGKILL)
        time.sleep(0.05)
    return found


def _is_role_of(pid: int, root: Path) -> bool:
    """By its command line, which names the data directory: a copy of the directory has roles of its own."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if b"pipeline.cli" not in words or pid == os.getpid():
        return False
    command, *rest = words[words.index(b"pipeline.cli") + 1 :]
    return command.decode(errors="replace") in ROLES and os.fsencode(root) in rest


def _send(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, what)
