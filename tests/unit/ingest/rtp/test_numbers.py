"""Holes in the sequence numbers, and when they are those of a shared counter."""

from __future__ import annotations

from ingest.rtp.numbers import Hole, Numbering, hole


def test_hole_has_as_many_packets_as_numbers_are_missing() -> None:
    assert hole(5, 8) == Hole(3)
    assert hole(65_535, 1) == Hole(2)
    assert hole(100, 3_100) == Hole(3_000)
    assert hole(100, 3_101) == Hole(0)  # nobody loses so many: the numbers begin anew
    assert hole(100, 90) == Hole(0)


def test_counter_is_shared_once_holes_were_harmless_again_and_again() -> None:
    numbering = Numbering(reliable=True)
    for _ in range(7):
        numbering.harmless(Hole(2))
    assert not numbering.passes(Hole(1))
    numbering.harmless(Hole(1))
    assert numbering.shared
    assert numbering.passes(Hole(2))
    assert not numbering.passes(Hole(3))  # larger than any that was harmless
    assert not numbering.passes(Hole(0))
    numbering.harmful()
    assert not numbering.shared
    assert not numbering.passes(Hole(1))


def test_counter_is_shared_where_no_hole_of_many_within_pictures_shows_that_something_is_missing() -> None:
    numbering = Numbering(reliable=True)
    for _ in range(128):
        assert not numbering.passes(Hole(1))
        numbering.within(Hole(1), fits=True)
    numbering.harmful()  # the pictures with holes were given up meanwhile
    assert numbering.passes(Hole(1))
    assert not numbering.passes(Hole(40))
    numbering.within(Hole(1), fits=False)
    for _ in range(1000):
        numbering.within(Hole(1), fits=True)
    assert not numbering.shared  # as many in a row once were no proof


def test_over_udp_every_missing_number_is_a_lost_packet() -> None:
    numbering = Numbering(reliable=False)
    for _ in range(20):
        numbering.harmless(Hole(1))
    assert not numbering.shared
    assert not numbering.passes(Hole(1))
