"""Rows that wait are settled by what their trailers say and in the order of their commits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from domain.footage import Segment
from domain.ids import CameraId
from domain.time import NS, Span
from storage.claims import Judge
from storage.claims.judge import BATCH
from storage.sealed import object_name_of
from tests.support.database.recording_pool import RecordingPool
from tests.support.footage.rows import segment_row
from tests.support.footage.signed import Signer

SPAN = Span(1_790_000_000 * NS, 1_790_000_010 * NS)
SIGNER = Signer()
CAMERA = CameraId(uuid4())


def claim(made: Segment) -> dict[str, Any]:
    return {"claimed_id": made.segment_id, "rewrapped": False} | segment_row(made)


RECORDERS = [
    {
        "recorder_id": SIGNER.recorder_id,
        "public_key": SIGNER.key.public_key().public_bytes_raw(),
        "revoked_ns": None,
    }
]


def settled(pool: RecordingPool) -> list[tuple[Any, ...]]:
    return pool.asked_for("storage.catalogue", "settle_segment")


async def test_each_row_is_settled_by_its_flaw_in_the_order_of_the_commits() -> None:
    good = SIGNER.segment(CAMERA, SPAN)
    bad = replace(SIGNER.segment(CAMERA, SPAN), trailer=None)
    gone = UUID(int=1)
    rows = [claim(good), claim(bad), {"claimed_id": gone, "segment_id": None}]
    answers = [[{"settle_segment": state}] for state in ("live", "refused", None)]
    pool = RecordingPool(rows, RECORDERS, *answers)
    judge = Judge(pool)
    assert await judge.run_once() == 2
    assert settled(pool) == [
        (good.segment_id, None, object_name_of(good)),
        (bad.segment_id, "row: it holds no trailer", object_name_of(bad)),
        (gone, None, ""),
    ]
    assert (judge.settled, judge.refused) == (2, 1)
    assert judge.last_refused == f"{object_name_of(bad)}: row: it holds no trailer"


async def test_full_batch_is_followed_by_the_next_unless_nothing_could_be_settled() -> None:
    row = SIGNER.segment(CAMERA, SPAN)
    full = [claim(row)] * BATCH
    pool = RecordingPool(full, RECORDERS, *[[{"settle_segment": "live"}]] * BATCH, [])
    assert await Judge(pool).run_once() == BATCH
    pool = RecordingPool(full, RECORDERS, *[[{"settle_segment": "contested"}]] * BATCH)
    judge = Judge(pool)
    assert await judge.run_once() == 0  # rivals are settled first: at the next round
    assert judge.refused == 0
