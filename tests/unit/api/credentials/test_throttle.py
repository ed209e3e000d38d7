"""Waits after failed attempts."""

from __future__ import annotations

from api.credentials.throttle import PER_USER, Limit
from domain.time import MINUTE_NS, NS


def test_wait_doubles_up_to_the_longest() -> None:
    waits = [PER_USER.wait_ns(failures) // NS for failures in range(9)]
    assert waits == [0, 0, 0, 0, 0, 0, 1, 2, 4]
    assert Limit(free=0).wait_ns(10_000) == 15 * MINUTE_NS
