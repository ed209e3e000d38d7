"""Gaps and epochs survive the way into a record and back; what makes no sense is no row."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from storage.journal.rows import epoch_from_row, gap_from_row, gap_to_row

GAP = Gap(camera_id=CameraId(uuid.uuid4()), span=Span(5, 1 << 61), cause=GapCause.CRASH, detail="ä")


def test_gap_comes_back() -> None:
    assert gap_from_row(json.loads(json.dumps(gap_to_row(GAP)))) == GAP


@pytest.mark.parametrize(
    "change", [{"end_ns": 5}, {"start_ns": -1}, {"cause": "no such cause"}, {"camera_id": "x"}, {"end_ns": None}]
)
def test_gap_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        gap_from_row(gap_to_row(GAP) | change)


def test_epoch_that_makes_no_sense_is_refused() -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        epoch_from_row({"camera_id": str(uuid.uuid4()), "epoch": "second"})
