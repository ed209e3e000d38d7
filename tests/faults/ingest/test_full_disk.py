"""A disk that is really full: a file system of a few MiB, and somebody else who takes all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_MOUNT = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=8m tmpfs /mnt && exec "$@"', "sh"]


@pytest.mark.slow
def test_full_disk_while_recording_and_at_a_start_is_survived() -> None:
    if subprocess.run([*_MOUNT, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this kernel does not let us mount")
    command = [*_MOUNT, sys.executable, "-m", "tests.support.faults.small_disk", "/mnt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
