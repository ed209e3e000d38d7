"""`tallenne events`: the span when none is given, and the actions."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from domain.time import NS, from_iso
from pipeline.commands.doors import events
from pipeline.errors import SetupError
from tests.support.commands import parsed

ID = "0d9f6a1c-5b7e-4f6a-9a3a-6f46306dad00"


def test_span_is_the_last_day_and_a_minute_for_clocks_that_differ() -> None:
    before_ns = time.time_ns()
    span = events._span(parsed(events, "list"))
    assert 0 <= span.end_ns - before_ns - 60 * NS < 60 * NS
    assert span.duration_ns == 24 * 3600 * NS


def test_missing_start_counts_back_from_the_given_end() -> None:
    span = events._span(parsed(events, "list", "--end", "2026-11-22T06:33:00Z"))
    assert span.start_ns == from_iso("2026-11-21T06:33:00Z")
    with pytest.raises(SetupError):
        events._span(parsed(events, "list", "--start", "2026-11-23T00:00:00Z", "--end", "2026-11-22T00:00:00Z"))


def test_corrections_take_an_id_and_bounded_values() -> None:
    arguments = parsed(events, "correct", ID, "--kind", "exit", "--member", "nobody")
    assert (arguments.event, arguments.kind, arguments.member) == (UUID(ID), "exit", "nobody")
    for words in (("correct", "7"), ("correct", ID, "--kind", "flew"), ("reassign", "--from-member", "1")):
        with pytest.raises(SystemExit):
            parsed(events, *words)
