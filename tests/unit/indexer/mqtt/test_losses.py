"""Losses as problems: none where nothing was lost, and each with its figures and a remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.time import NS, to_iso
from indexer.errors import EventsLostError
from indexer.mqtt.losses import TOLD_S, Forgotten, broker_dropped, sequence_gaps, session_taken_over

LAST_NS = 1_800_000_010 * NS


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (lambda count: sequence_gaps(count, 2), "messages of 2 doors never arrived"),
        (broker_dropped, "discarded"),
        (lambda count: session_taken_over(count, "ours"), "client id 'ours'"),
    ],
)
def test_loss_is_a_problem_with_its_count_and_a_remedy(
    problem: Callable[[int], EventsLostError | None], words: str
) -> None:
    assert problem(0) is None
    found = problem(7)
    assert found is not None
    assert words in found.what and "7" in found.what
    assert found.remedy


def test_session_that_was_forgotten_is_told_with_its_time_for_an_hour() -> None:
    forgotten = Forgotten()
    assert forgotten.problem(0, "ours") is None
    forgotten.note(10, 1_800_000_000 * NS)
    forgotten.note(20, LAST_NS)
    found = forgotten.problem(20, "ours")
    assert found is not None and f"at {to_iso(LAST_NS)}, the last of 2 times" in found.what
    found = forgotten.problem(20 + TOLD_S, "ours")
    assert found is not None and f"at {to_iso(LAST_NS)}: what" in found.what
    assert "client id 'ours' and a clean session" in found.remedy  # which looks just the same
    assert forgotten.problem(21 + TOLD_S, "ours") is None
    assert forgotten.total == 2
