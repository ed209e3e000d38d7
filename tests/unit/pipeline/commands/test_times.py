"""Times on the command line, by the wall clock here."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import pytest

from domain.time import NS, from_iso, to_iso
from pipeline.commands.times import at_site, typed_time


@pytest.fixture
def helsinki(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Helsinki")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("helsinki")
@pytest.mark.parametrize(
    ("now", "typed", "meant"),
    [
        ("2026-11-22T08:00:00+02:00", "06:31", "2026-11-22T04:31:00.000Z"),
        ("2026-11-22T06:00:00+02:00", "06:31", "2026-11-21T04:31:00.000Z"),
        ("2026-10-25T08:00:00+02:00", "02:30", "2026-10-24T23:30:00.000Z"),  # before the clock was set back
        ("2026-10-25T08:00:00+02:00", "23:00", "2026-10-24T20:00:00.000Z"),
        ("2026-10-25T03:40:00+02:00", "03:30", "2026-10-25T01:30:00.000Z"),  # for the second time
        ("2026-10-25T03:20:00+02:00", "03:30", "2026-10-25T00:30:00.000Z"),
        ("2026-03-29T09:00:00+03:00", "02:30", "2026-03-29T00:30:00.000Z"),
        ("2026-03-29T09:00:00+03:00", "23:00", "2026-03-28T21:00:00.000Z"),
    ],
)
def test_a_clock_time_is_the_last_time_the_clock_showed_it(
    monkeypatch: pytest.MonkeyPatch, now: str, typed: str, meant: str
) -> None:
    now_ns = from_iso(now)
    monkeypatch.setattr("pipeline.commands.times.time.time_ns", lambda: now_ns)
    assert to_iso(typed_time(typed)) == meant
    assert typed_time(typed) <= now_ns < typed_time(typed) + 25 * 3600 * NS


@pytest.mark.parametrize(
    "typed", ["9999-12-31T00:00:00Z", "0001-01-02T00:00:00Z", "1700-01-01", "2200-01-01T00:00:00Z", "25:00", "soon"]
)
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=typed):
        typed_time(typed)


def test_times_are_shown_by_the_sites_clock_with_its_name() -> None:
    time_ns = from_iso("2026-11-29T18:32:17Z")
    assert at_site(time_ns, "Europe/Helsinki") == "2026-11-29 20:32:17 EET"
    assert at_site(time_ns, "UTC") == "2026-11-29 18:32:17 UTC"
