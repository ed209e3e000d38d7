"""One look at this machine: the roles' status files, the disks, the kernel's clock. The only part with I/O."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runtime.status import statuses

PROBE: Final = "probe"
_NEW_TIMEX_BYTES: Final = 208  # struct timex, adjtimex(2), on 64-bit Linux
_STATUS_AT: Final = 40  # of its field "status"
_STA_UNSYNC: Final = 0x0040


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system that something of ours lies on."""

    free_bytes: int
    total_bytes: int
    refusal: str = ""  # why it cannot be written to, as the kernel says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The facts of one look."""

    mono_s: float
    now_ns: int  # UTC
    statuses: tuple[dict[str, Any], ...]  # as runtime.status.statuses() gives them
    disks: Mapping[str, Disk] = field(default_factory=dict)  # by name; those that could be asked
    unsynchronised: bool | None = None  # nothing keeps the kernel's clock; None: it cannot be asked


def look(run_directory: Path, disks: Mapping[str, Path], own_directory: Path) -> Snapshot:
    """Read all of it. ``own_directory``: on the disk "data", where writing is tried.

    OSError when this process has no descriptors left: it must not take that for the others' silence.
    """
    refusal = _refusal(own_directory / PROBE)
    found = {name: disk for name, path in _apart(disks).items() if (disk := _disk(path)) is not None}
    if "data" in found and refusal:
        data = found["data"]
        found["data"] = Disk(free_bytes=data.free_bytes, total_bytes=data.total_bytes, refusal=refusal)
    return Snapshot(
        mono_s=time.monotonic(),
        now_ns=time.time_ns(),
        statuses=tuple(statuses(run_directory)),
        disks=found,
        unsynchronised=_unsynchronised(),
    )


def _apart(disks: Mapping[str, Path]) -> dict[str, Path]:
    """The first name of each file system; what is not there is left out."""
    found: dict[int, tuple[str, Path]] = {}
    for name, path in disks.items():
        with contextlib.suppress(OSError):
            found.setdefault(path.stat().st_dev, (name, path))
    return dict(found.values())


def _disk(path: Path) -> Disk | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    refusal = os.strerror(errno.EROFS) if found.f_flag & os.ST_RDONLY else ""
    return Disk(
        free_bytes=found.f_bavail * found.f_frsize, total_bytes=found.f_blocks * found.f_frsize, refusal=refusal
    )


def _refusal(probe: Path) -> str:
    """Why a file cannot be written there; "" when it can, or when only room is lacking, which has its own condition."""
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, b"x")
        finally:
            os.close(descriptor)
    except OSError as exc:
        if exc.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return "" if exc.errno in (errno.ENOSPC, errno.EDQUOT) else exc.strerror or type(exc).__name__
    return ""


def _unsynchronised() -> bool | None:
    """What adjtimex(2) says, asked without the right to change anything (modes = 0)."""
    buffer = ctypes.create_string_buffer(_NEW_TIMEX_BYTES)
    try:
        answer = ctypes.CDLL(None).adjtimex(buffer)
    except (OSError, AttributeError):
        return None
    if answer < 0 or struct.calcsize("l") != 8:
        return None
    (status,) = struct.unpack_from("i", buffer, _STATUS_AT)
    return bool(status & _STA_UNSYNC)
