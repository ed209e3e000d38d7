"""When a request is due."""

from __future__ import annotations

import pytest

from api.requests.due import EXTENDED_MONTHS, MONTHS, due_ns
from domain.time import from_iso, to_iso

HELSINKI = "Europe/Helsinki"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-29T10:00:00Z", "2026-12-29T22:00:00.000Z"),
        ("2026-11-29T21:59:59Z", "2026-12-29T22:00:00.000Z"),
        ("2026-11-29T22:00:00Z", "2026-12-30T22:00:00.000Z"),  # the thirtieth at the site
        ("2026-01-31T10:00:00Z", "2026-02-28T22:00:00.000Z"),
        ("2028-01-31T10:00:00Z", "2028-02-29T22:00:00.000Z"),
        ("2026-12-15T10:00:00Z", "2027-01-15T22:00:00.000Z"),
        ("2026-03-15T10:00:00Z", "2026-04-15T21:00:00.000Z"),  # summer time by then
    ],
)
def test_month_ends_with_the_day_of_the_same_number_at_the_site(received: str, due: str) -> None:
    assert to_iso(due_ns(from_iso(received), MONTHS, HELSINKI)) == due


def test_extended_request_is_due_three_months_after_it_came() -> None:
    received = from_iso("2026-11-30T10:00:00Z")
    assert to_iso(due_ns(received, EXTENDED_MONTHS, HELSINKI)) == "2027-02-28T22:00:00.000Z"


def test_due_is_later_than_received_on_every_day_of_four_years() -> None:
    day = 86_400 * 10**9
    first = from_iso("2024-01-01T12:00:00Z")
    spans = [(due_ns(at, MONTHS, HELSINKI) - at) / day for at in range(first, first + 1461 * day, day)]
    assert min(spans) >= 28
    assert max(spans) <= 32
