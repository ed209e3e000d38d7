"""Keeps secrets out of core dumps and away from processes of the same user."""

from __future__ import annotations

import ctypes
import resource
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2)


def forbid_dumps() -> bool:
    """No core files, no ptrace or /proc/<pid>/mem by other processes of this user. False: the kernel refused."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    result: int = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return result == 0
