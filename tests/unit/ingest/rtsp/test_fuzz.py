"""Ten seconds of fuzzing; hours are run by hand with tests/fuzz/fuzz_rtsp.py."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SECONDS = 10


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not there for this Python")
def test_any_bytes_end_in_our_own_error_at_worst(tmp_path: Path) -> None:
    # By a shell that forks: the fuzzer's peak of memory would begin with that of this process, whose child it would be.
    shell = ["sh", "-c", '"$@"; exit $?', "sh"]
    command = [*shell, sys.executable, "tests/fuzz/fuzz_rtsp.py", f"-max_total_time={SECONDS}", "-rss_limit_mb=600"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(tmp_path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS + 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
