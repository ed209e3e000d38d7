"""Every number of the roles' status files, and no word of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from api.metrics.roles import RoleCollector


def collected(folder: Path) -> list[str]:
    registry = CollectorRegistry()
    registry.register(RoleCollector(folder))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_numbers_are_told_by_role_and_instance_and_words_are_not(tmp_path: Path) -> None:
    status = {"role": "index", "instance": "0", "pid": os.getpid(), "state": "ready", "period_s": 1.0}
    status |= {"updated_ns": 5_500_000_000, "updated_mono_ns": time.monotonic_ns(), "problems": [{"what": "Door 5"}]}
    status |= {"lag_s": 0.25, "subscribed": True, "name": "Backyard", "Odd-Name": 1, "cameras": {"x": 1}}
    (tmp_path / "index-0.json").write_text(json.dumps(status))
    assert sorted(collected(tmp_path)) == [
        'tallenne_index_lag_s{instance="0"} 0.25',
        'tallenne_index_subscribed{instance="0"} 1.0',
        'tallenne_role_problems{instance="0",role="index"} 1.0',
        'tallenne_role_ready{instance="0",role="index"} 1.0',
        'tallenne_role_updated_seconds{instance="0",role="index"} 5.5',
    ]


def test_role_whose_name_is_no_metric_s_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"role": "Evil{}", "instance": "0", "state": "ready", "n": 1}))
    assert collected(tmp_path) == []


def test_no_directory_is_no_role(tmp_path: Path) -> None:
    assert collected(tmp_path / "none") == []
