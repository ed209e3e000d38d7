"""A result fits its schema; a broken one does not."""

from __future__ import annotations

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA, document, rounded
from benchmarks.frame.trust import Doubt


def test_document_fits_the_schema_and_a_broken_one_does_not() -> None:
    result = document(
        "ingest",
        parameters={"cameras": 1},
        headline={"cpu_ms_per_camera_s": 0.5},
        cases=[{"name": "ours"}],
        doubts=[Doubt(code="too_short", detail="x")],
        missing={},
    )
    jsonschema_rs.validate(SCHEMA, result)
    assert not result["trusted"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(SCHEMA, {**result, "cases": [{}]})


def test_rounded_cuts_floats_everywhere_and_leaves_integers() -> None:
    assert rounded({"a": [1.23456789, {"b": 123456}]}) == {"a": [1.235, {"b": 123456}]}
