"""Credentials are one text however a reader writes them, and stay out of logs."""

from __future__ import annotations

import pytest

from domain.access import EventKind
from indexer.decoders import DecodedEvent, normalised_credential


@pytest.mark.parametrize("text", ["04a1b2", "04:A1:B2", " 04-a1_b2\n", "04.a1 b2", "04\u00a0a1\tB2"])
def test_credential_is_the_same_in_every_notation(text: str) -> None:
    assert normalised_credential(text) == "04A1B2"


def test_other_signs_of_a_credential_count() -> None:
    assert normalised_credential("a/b+c") == "A/B+C"
    assert normalised_credential(" :._-") == ""


def test_personal_data_is_not_in_the_representation() -> None:
    event = DecodedEvent(
        door="Front",
        kind=EventKind.GRANTED,
        direction=None,
        source_event_id=None,
        credential="SECRET-CARD",
        number="SECRET-NUMBER",
        occurred_ns=None,
        dedup=("SECRET-DEDUP",),
    )
    assert "SECRET" not in repr(event)
