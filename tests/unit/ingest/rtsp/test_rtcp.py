"""Receiver reports (RFC 3550, 6.4.2) by the numbers of the packets that came."""

from __future__ import annotations

import pytest

from ingest.rtsp.rtcp import Reception

S = 1_000_000_000


def reception(*numbers: int) -> Reception:
    made = Reception()
    for number in numbers:
        made.came(number & 0xFFFF)
    return made


@pytest.mark.parametrize(
    ("numbers", "lost", "highest"),
    [
        ((5,), 0, 5),
        ((5, 6, 7), 0, 7),
        ((5, 7), 1, 7),
        ((5, 7, 6), 0, 7),
        ((5, 6, 6, 7), -1, 7),
        ((65_534, 65_535, 65_536, 65_538), 1, 65_538),
        ((65_534, 65_536, 65_535, 65_537), 0, 65_537),
    ],
)
def test_lost_and_highest_number(numbers: tuple[int, ...], lost: int, highest: int) -> None:
    report = reception(*numbers).report(1, 2, None, 0)
    assert report[:8] == b"\x81\xc9\x00\x07\x00\x00\x00\x01"
    assert report[8:12] == b"\x00\x00\x00\x02"
    assert int.from_bytes(report[13:16], "big", signed=True) == lost
    assert int.from_bytes(report[16:20], "big") == highest


def test_fraction_is_of_the_packets_since_the_last_report() -> None:
    made = reception(*range(0, 100, 2), 99)
    assert made.report(1, 2, None, 0)[12] == 49 * 256 // 100
    for number in range(100, 200):
        made.came(number)
    assert made.report(1, 2, None, 0)[12] == 0


def test_sender_report_is_answered_with_its_time_and_how_long_ago_it_came() -> None:
    report = reception(1).report(1, 2, (0x01020304, 2 * S), 2 * S + S // 2)
    assert report[24:32] == b"\x01\x02\x03\x04" + (0x8000).to_bytes(4, "big")


def test_jitter_is_that_of_arrival_against_the_packets_times() -> None:
    made = reception(1)
    made.timed(90_000, S, 90_000)
    made.timed(180_000, 2 * S, 90_000)
    assert made.report(1, 2, None, 0)[20:24] == bytes(4)
    made.timed(270_000, 3 * S + S // 10, 90_000)
    assert int.from_bytes(made.report(1, 2, None, 0)[20:24], "big") == 9_000 // 16


def test_without_packets_it_is_a_report_of_nothing_and_has_a_name() -> None:
    report = Reception().report(1, -1, None, 0)
    assert report == b"\x80\xc9\x00\x01\x00\x00\x00\x01" + b"\x81\xca\x00\x04\x00\x00\x00\x01\x01\x08tallenne\x00\x00"
