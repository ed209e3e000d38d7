"""Times as RFC 3339 lets them be written, and what is none."""

from __future__ import annotations

import pytest

from domain.time import DAY_NS, NS, from_iso, to_iso

MOMENT_NS = from_iso("2026-11-29T18:32:17.857Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29t18:32:17.857z",
        "2026-11-29T18:32:17.857z",
        "2026-11-29 18:32:17.857Z",
        "2026-11-29T20:32:17.857+02:00",
        "2026-11-29t20:32:17.857000000+0200",
        "2026-11-29T18:32:17.857-00:00",
    ],
)
def test_one_moment_in_all_its_writings(text: str) -> None:
    assert from_iso(text) == MOMENT_NS


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31t23:59:60z", "2017-01-01T01:59:60+02:00"])
def test_a_leap_second_is_the_second_behind_it(text: str) -> None:
    assert from_iso(text) == from_iso("2017-01-01T00:00:00Z")


def test_a_leap_second_has_parts() -> None:
    assert from_iso("2016-12-31T23:59:60.25Z") - from_iso("2016-12-31T23:59:59.25Z") == NS


def test_milliseconds_come_back() -> None:
    assert from_iso(to_iso(DAY_NS + 120_000_000)) == DAY_NS + 120_000_000


@pytest.mark.parametrize(
    "text",
    ["2026-11-29T18:32:17", "2026-11-29T18:32:61Z", "2026-11-29T18:60:00Z", "2026-11-29T18:32:601Z", "60", "", ":60"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_iso(text)
