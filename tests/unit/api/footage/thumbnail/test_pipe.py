"""The role that serves loads no decoder: neither foreign bytes nor its start need one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from api.footage.thumbnail.pipe import LENGTH, REQUEST

ROOT = Path(__file__).resolve().parents[5]


def test_serving_role_loads_no_decoder_and_no_s3_client() -> None:
    script = "import sys, api.role; print(*sorted({'av', 'minio', 'obstore', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_lengths_are_big_endian() -> None:
    assert REQUEST.pack(5, -1) == b"\0\0\0\5" + b"\xff" * 8
    assert LENGTH.pack(5) == b"\0\0\0\5"
