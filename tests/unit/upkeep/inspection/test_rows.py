"""A row from its object's own bytes, and the columns in which a row and its object disagree."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from domain.footage import SegmentState
from domain.ids import RecorderId
from domain.time import Span
from storage.sealed import object_name_of
from tests.unit.upkeep.inspection.test_objects import filmed, inspected, key
from upkeep.inspection.errors import BadObjectError, Flaw
from upkeep.inspection.rows import check_name, differing_columns, segment_of_object


async def test_row_made_from_an_object_is_the_recorder_s_row() -> None:
    _, segment, data = filmed()
    found = await inspected(data, key=key())
    made = segment_of_object(found, epoch=segment.epoch)
    assert differing_columns(made, found) == []
    known = {"codec": made.codec, "init_sha256": made.init_sha256, "trailer": data[-168:]}
    assert made == replace(segment, **known)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("size_bytes", 1),
        ("sha256", bytes(32)),
        ("header", bytes(210)),
        ("span", Span(1, 2)),
        ("recorder_id", RecorderId(uuid.uuid4())),
        ("recovered", True),
        ("frames", 1),
        ("init_size", 1),
        ("init_sha256", bytes(32)),
        ("trailer", bytes(168)),
    ],
)
async def test_column_that_disagrees_is_named(column: str, value: Any) -> None:
    found = await inspected(filmed()[2], key=key())
    row = segment_of_object(found)
    assert differing_columns(replace(row, **{column: value}), found) == [column]


async def test_columns_that_only_the_row_knows_and_those_it_does_not_hold_are_not_compared() -> None:
    found = await inspected(filmed()[2], key=key())
    row = segment_of_object(found)
    for free in (
        {"epoch": 7},
        {"state": SegmentState.SHADOW},
        {"fragments": None, "frames": 0},
        {"init_sha256": None},
        {"trailer": None},
    ):
        assert differing_columns(replace(row, **free), found) == []  # type: ignore[arg-type]


async def test_without_a_key_the_contents_are_not_compared_and_the_rest_is() -> None:
    row = segment_of_object(await inspected(filmed()[2], key=key()))
    closed = await inspected(filmed()[2], key=None)
    assert differing_columns(replace(row, frames=1, init_size=1), closed) == []
    assert differing_columns(replace(row, size_bytes=1), closed) == ["size_bytes"]
    with pytest.raises(ValueError, match="not opened"):
        segment_of_object(closed)


async def test_genuine_object_under_another_name_is_a_flaw_of_the_name() -> None:
    _, segment, data = filmed()
    found = await inspected(data, key=None)
    check_name(found, object_name_of(segment))
    with pytest.raises(BadObjectError) as caught:
        check_name(found, object_name_of(replace(segment, span=Span(0, 1))))
    assert caught.value.flaw is Flaw.NAME
