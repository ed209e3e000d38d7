"""The day of a site begins at its own midnight, also when the clocks change."""

from __future__ import annotations

import pytest

from api.search.today import midnight
from domain.time import from_iso


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-22T06:31:00Z", "Europe/Helsinki", "2026-11-21T22:00:00Z"),
        ("2026-11-22T22:31:00Z", "Europe/Helsinki", "2026-11-22T22:00:00Z"),
        ("2026-10-25T22:30:00Z", "Europe/Stockholm", "2026-10-24T22:00:00Z"),
        ("2026-11-22T22:31:00Z", "UTC", "2026-11-22T00:00:00Z"),
    ],
)
def test_midnight_is_the_sites_own(now: str, zone: str, expected: str) -> None:
    assert midnight(from_iso(now), zone) == from_iso(expected)
