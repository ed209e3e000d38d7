"""Landlock by itself: files and ports are reached as the rules say; without it, all are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.sandbox.kernel import landlock_version

_CHILD = """
import json, socket, sys
from pathlib import Path
from runtime.sandbox import kernel
allowed, open_port, closed_port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
other = allowed.parent / "other"
kernel.no_new_privileges()
if sys.argv[4] == "landlock":
    kernel.restrict({allowed: kernel.READ, Path("/nowhere"): kernel.READ}, ports={open_port: kernel.CONNECT_TCP})
def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return ""
def connect(port):
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", port))
print(json.dumps([
    outcome((allowed / "a").read_bytes), outcome((other / "a").read_bytes), outcome((allowed / "b").touch),
    outcome(lambda: connect(open_port)), outcome(lambda: connect(closed_port)),
]))
"""


def outcomes(directory: Path, how: str) -> list[str]:
    for name in ("allowed", "other"):
        (directory / name).mkdir()
        (directory / name / "a").write_bytes(b"x")
    words = [sys.executable, "-c", _CHILD, str(directory / "allowed"), "1", "2", how]
    found: list[str] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return found


def test_rules_say_what_is_reached(tmp_path: Path) -> None:
    if landlock_version() < 4:
        pytest.skip("this kernel has no Landlock with rules for ports (Linux 6.7)")
    refused = "PermissionError"
    assert outcomes(tmp_path, "landlock") == ["", refused, refused, "ConnectionRefusedError", refused]


def test_without_rules_all_is_reached(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "none") == ["", "", "", "ConnectionRefusedError", "ConnectionRefusedError"]
