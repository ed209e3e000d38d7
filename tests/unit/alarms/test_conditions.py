"""Kinds of conditions: each has a delay, and a condition is identified by kind and subject."""

from __future__ import annotations

from alarms.conditions import DELAYS_S, ESSENTIAL, Condition, Kind


def test_every_kind_has_a_delay_that_is_not_negative() -> None:
    assert set(DELAYS_S) == set(Kind)
    assert min(DELAYS_S.values()) >= 0


def test_full_is_reported_sooner_than_filling() -> None:
    assert DELAYS_S[Kind.DISK_FULL] < DELAYS_S[Kind.DISK]
    assert DELAYS_S[Kind.SPOOL_FULL] < DELAYS_S[Kind.SPOOL]


def test_a_single_camera_does_not_silence_the_dead_mans_signal() -> None:
    assert Kind.CAMERA not in ESSENTIAL
    assert Kind.DATABASE in ESSENTIAL


def test_wording_does_not_change_the_identity() -> None:
    one = Condition(kind=Kind.DOOR, subject="front", what="Silent for 2 h.")
    other = Condition(kind=Kind.DOOR, subject="front", what="Silent for 3 h.", remedy="Try it.")
    assert one.key == other.key == (Kind.DOOR, "front")
    assert Condition(kind=Kind.DOOR, subject="side", what="Silent.").key != one.key
