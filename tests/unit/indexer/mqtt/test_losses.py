"""Losses as problems: none where nothing was lost, and each with its figures and a remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indexer.errors import EventsLostError
from indexer.mqtt.losses import broker_dropped, sequence_gaps, session_forgotten, session_taken_over


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (lambda count: sequence_gaps(count, 2), "messages of 2 doors never arrived"),
        (broker_dropped, "discarded"),
        (lambda count: session_taken_over(count, "ours"), "client id 'ours'"),
        (lambda count: session_forgotten(count, "ours"), "forgot our session"),
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


def test_a_session_is_also_forgotten_when_another_begins_it_anew() -> None:
    found = session_forgotten(1, "ours")
    assert found is not None and "client id 'ours' and a clean session" in found.remedy
