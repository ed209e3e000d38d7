"""A process that forbids dumps cannot be read by another one of the same user."""

from __future__ import annotations

import subprocess
import sys

_CHILD = """
import resource
from custodian.harden import forbid_dumps
assert forbid_dumps()
status = open("/proc/self/status").read()
print(resource.getrlimit(resource.RLIMIT_CORE))
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
"""


def test_no_core_files_and_not_dumpable() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(0, 0)", "0"]
