"""Counters under their names in metrics: every one that grows has a name of its own."""

from __future__ import annotations

from dataclasses import fields

from ingest.rtp.counts import Counts

NOT_SHOWN = {"lost", "work", "foreign_type", "unasked_channel"}


def test_every_growing_counter_is_shown_once_with_its_own_value() -> None:
    names = [field.name for field in fields(Counts) if field.name not in NOT_SHOWN]
    counts = Counts(**{name: number for number, name in enumerate(names, 1)})
    assert sorted(counts.metrics().values()) == list(range(1, len(names) + 1))


def test_losses_and_last_types_are_not_shown() -> None:
    assert set(Counts(lost=3, work=9, foreign_type=33, unasked_channel=5).metrics().values()) == {0}
