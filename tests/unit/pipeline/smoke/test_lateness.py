"""A machine that runs everything late is noticed, and asked for less; a quiet one is asked for what was set."""

from __future__ import annotations

import time

from pipeline.smoke.lateness import Lateness


def test_the_limit_follows_the_machine() -> None:
    late = Lateness()
    assert late.limit_ms(200) == 200
    late.worst_ms = 50
    assert late.limit_ms(200) == 350


def test_a_stall_is_seen() -> None:
    with Lateness() as late:
        time.sleep(0.1)
        began_s = time.monotonic()
        sum(range(20_000_000))  # one call that lets no other thread run
        stalled_ms = (time.monotonic() - began_s) * 1000
        time.sleep(0.1)
    assert stalled_ms > 50
    assert late.worst_ms > stalled_ms - 30
