"""Filters of the audit trail; what they find is held to in tests/integration/api/audit/test_growth.py."""

from __future__ import annotations

import uuid

import pytest

from api.audit.finding import Filters


@pytest.mark.parametrize(
    ("filters", "narrow"),
    [
        (Filters(), False),
        (Filters(start=1, end=2), False),
        (Filters(action="look"), True),
        (Filters(number="7"), True),
        (Filters(member=uuid.UUID(int=0)), True),
    ],
)
def test_filters_about_more_than_time_are_narrow(filters: Filters, narrow: bool) -> None:
    assert filters.narrow is narrow
