"""Counts and bounds in both languages."""

from __future__ import annotations

from paper.language import Both, days, hours, teller, within


def test_counts_have_their_singular() -> None:
    assert [hours(count, "fi") for count in (1, 2)] == ["1 tunti", "2 tuntia"]
    assert [days(count, "en") for count in (1, 2)] == ["1 day", "2 days"]
    assert [days(count, "fi") for count in (1, 2)] == ["1 päivä", "2 päivää"]


def test_bounds() -> None:
    assert within(1, "h", "en") == "within 1 hour" and within(30, "d", "en") == "within 30 days"
    assert within(73, "h", "fi") == "73 tunnin kuluessa" and within(30, "d", "fi") == "30 päivän kuluessa"


def test_text_is_that_of_the_language() -> None:
    assert teller("fi")("door", "ovi") == "ovi" and teller("en")("door", "ovi") == "door"
    assert Both(en="a", fi="b").of("fi") == "b" and Both(en="a", fi="b").of("en") == "a"
