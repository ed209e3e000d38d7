"""A turn over the budget ends that camera's connection; one slip of the interpreter does not."""

from __future__ import annotations

import pytest

from ingest.budget import TURN_NS, Budget, TurnTooLongError

MS, S = 1_000_000, 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def test_turns_are_measured_and_the_second_over_the_budget_ends_it() -> None:
    cpu, mono = Clock(), Clock()
    budget = Budget(cpu, mono)

    def turn(spent_ns: int) -> None:
        with budget:
            cpu.ns += spent_ns
        mono.ns += S

    for _ in range(1000):
        turn(TURN_NS)
    turn(TURN_NS + MS)
    mono.ns += 60 * S
    turn(TURN_NS + MS)  # a minute later: again the first
    with pytest.raises(TurnTooLongError, match="101 ms"):
        turn(TURN_NS + MS)
    mono.ns += 60 * S
    with pytest.raises(TurnTooLongError, match="700 ms"):
        turn(700 * MS)


def test_what_ended_the_turn_goes_first() -> None:
    cpu = Clock()
    with pytest.raises(ValueError, match="x"), Budget(cpu, Clock()):
        cpu.ns += S
        raise ValueError("x")
