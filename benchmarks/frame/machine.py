"""What the figures were taken on. Read from /proc; nothing here changes the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from ingest.native.library import in_use

_LIBRARIES = ("av", "cryptography", "uvloop", "asyncpg", "aiomqtt", "minio", "obstore", "numpy")


def describe() -> dict[str, Any]:
    """Processor, memory, kernel, libraries. No host name and no path: results are meant to be published."""
    cpu = _cpu_fields()
    return {
        "cpu": cpu.get("model name", platform.processor() or "unknown"),
        "aes": "aes" in cpu.get("flags", cpu.get("Features", "")).split(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)),
        "memory_mib": _memory_mib(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "rmem_max": _sysctl("net/core/rmem_max"),
        "packets_by": in_use(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "load_before": os.getloadavg()[0],
    }


def _cpu_fields() -> dict[str, str]:
    """The fields of the first processor in /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if not line.strip():
            break
        key, _, value = line.partition(":")
        fields[key.strip()] = value.strip()
    return fields


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


def _sysctl(name: str) -> int | None:
    path = Path("/proc/sys") / name
    return int(path.read_text()) if path.exists() else None


def revision() -> str:
    """The commit the code was at, as git says it, with a `+` when the tree was changed; "unknown" outside git."""
    root = Path(__file__).resolve().parents[2]
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()
