"""The description of the machine can be published: figures, no host name, no path."""

from __future__ import annotations

import json
import os
import platform

from benchmarks.frame import machine


def test_description_is_json_with_real_figures_and_names_no_host() -> None:
    found = machine.describe()
    said = json.dumps(found)
    assert found["cores_usable"] == len(os.sched_getaffinity(0)) <= found["cores"]
    assert found["memory_mib"] > 64
    assert platform.node() not in said or len(platform.node()) < 3
    assert os.getcwd() not in said  # noqa: PTH109
    assert all(found["libraries"].values())


def test_revision_is_one_word() -> None:
    assert len(machine.revision().split()) == 1
