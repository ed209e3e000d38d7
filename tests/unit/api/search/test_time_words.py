"""Time as people type it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.search.time_words import parse_time_words
from domain.time import NS, from_iso

ZONE = "Europe/Helsinki"
NOW = from_iso("2026-11-25T12:00:00+02:00")  # a Wednesday


def local(span_ns: int) -> str:
    return datetime.fromtimestamp(span_ns // NS, tz=ZoneInfo(ZONE)).strftime("%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("06:31", "11-25 06:31:00", "11-25 06:32:00", ""),
        ("6.31", "11-25 06:31:00", "11-25 06:32:00", ""),
        ("18:31", "11-24 18:31:00", "11-24 18:32:00", ""),
        ("06:31:04", "11-25 06:30:54", "11-25 06:31:14", ""),
        ("yesterday 18-19", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("eilen 18–19 Matti", "11-24 18:00:00", "11-24 19:00:00", "matti"),
        ("eilen klo 18.15 - 19.45", "11-24 18:15:00", "11-24 19:45:00", ""),
        ("eilen 22-02", "11-24 22:00:00", "11-25 02:00:00", ""),
        ("22-02", "11-24 22:00:00", "11-25 02:00:00", ""),
        ("klo 9", "11-25 09:00:00", "11-25 10:00:00", ""),
        ("6pm", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("6:30 pm side door", "11-24 18:30:00", "11-24 18:31:00", "side door"),
        ("noin 6:31", "11-25 06:21:00", "11-25 06:41:00", ""),
        ("klo noin 06:31", "11-25 06:21:00", "11-25 06:41:00", ""),
        ("noin klo 6", "11-25 05:50:00", "11-25 06:10:00", ""),
        ("at about 6:31", "11-25 06:21:00", "11-25 06:41:00", ""),
        ("~6:31", "11-25 06:21:00", "11-25 06:41:00", ""),
        ("22.11. 06:31", "11-22 06:31:00", "11-22 06:32:00", ""),
        ("22.11.2026 klo 6.31", "11-22 06:31:00", "11-22 06:32:00", ""),
        ("2026-11-22", "11-22 00:00:00", "11-23 00:00:00", ""),
        ("Virtanen 22/11", "11-22 00:00:00", "11-23 00:00:00", "virtanen"),
        ("today", "11-25 00:00:00", "11-26 00:00:00", ""),
        ("tänään", "11-25 00:00:00", "11-26 00:00:00", ""),
        ("toissapäivänä", "11-23 00:00:00", "11-24 00:00:00", ""),
        ("maanantaina aamulla", "11-23 05:00:00", "11-23 11:00:00", ""),
        ("monday 6:30 in the morning", "11-23 06:30:00", "11-23 06:31:00", ""),
        ("6:30 in the evening", "11-24 18:30:00", "11-24 18:31:00", ""),
        ("eilen 6:30 illalla", "11-24 18:30:00", "11-24 18:31:00", ""),
        ("18:30 in the evening", "11-24 18:30:00", "11-24 18:31:00", ""),
        ("wednesday", "11-25 00:00:00", "11-26 00:00:00", ""),
        ("last wednesday", "11-18 00:00:00", "11-19 00:00:00", ""),
        ("last hour", "11-25 11:00:00", "11-25 12:00:00", ""),
        ("viimeiset 10 minuuttia", "11-25 11:50:00", "11-25 12:00:00", ""),
        ("10 min sitten", "11-25 11:48:00", "11-25 11:52:00", ""),
        ("an hour ago", "11-25 10:54:00", "11-25 11:06:00", ""),
        ("ovi 3 06:31", "11-25 06:31:00", "11-25 06:32:00", "ovi 3"),
        ("ovi 3 klo 9", "11-25 09:00:00", "11-25 10:00:00", "ovi 3"),
        ("11:30 at night", "11-24 23:30:00", "11-24 23:31:00", ""),
        ("12:30 at night", "11-25 00:30:00", "11-25 00:31:00", ""),
        ("3:10 yöllä", "11-25 03:10:00", "11-25 03:11:00", ""),
        ("6pm-7", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("11am-1", "11-25 11:00:00", "11-25 13:00:00", ""),
        ("11pm-1", "11-24 23:00:00", "11-25 01:00:00", ""),
        ("yesterday 6-7pm", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("yesterday night", "11-24 20:00:00", "11-25 06:00:00", ""),
        ("last night", "11-24 20:00:00", "11-25 06:00:00", ""),
        ("viime yönä ovi 3", "11-24 20:00:00", "11-25 06:00:00", "ovi 3"),
        ("8 in the evening", "11-24 20:00:00", "11-24 21:00:00", ""),
        ("2 in the morning virtanen", "11-25 02:00:00", "11-25 03:00:00", "virtanen"),
        ("wednesday 18:00", "11-18 18:00:00", "11-18 18:01:00", ""),
        ("keskiviikkona klo 9", "11-25 09:00:00", "11-25 10:00:00", ""),
        ("6:30 p.m.", "11-24 18:30:00", "11-24 18:31:00", ""),
        ("6 p.m. side door", "11-24 18:00:00", "11-24 19:00:00", "side door"),
        ("last 2 days", "11-23 12:00:00", "11-25 12:00:00", ""),
        ("viime viikolla virtanen", "11-18 12:00:00", "11-25 12:00:00", "virtanen"),
        ("eilen aamupäivällä", "11-24 08:00:00", "11-24 12:00:00", ""),
        ("maanantai-iltana", "11-23 17:00:00", "11-23 23:00:00", ""),
        ("half an hour ago", "11-25 11:27:00", "11-25 11:33:00", ""),
        ("puoli tuntia sitten", "11-25 11:27:00", "11-25 11:33:00", ""),
        ("viimeinen tunti", "11-25 11:00:00", "11-25 12:00:00", ""),
        ("yesterday 6-7 in the evening", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("eilen 6-7 illalla", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("eilen klo 6-7 aamulla", "11-24 06:00:00", "11-24 07:00:00", ""),
        ("yesterday evening 18-19", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("between 18:00 and 19:00", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("eilen klo 18 ja 19 välillä", "11-24 18:00:00", "11-24 19:00:00", ""),
        ("29.3. klo 2 iltapäivällä", "03-29 14:00:00", "03-29 15:00:00", ""),
        ("25.10. klo 2 iltapäivällä", "10-25 14:00:00", "10-25 15:00:00", ""),
        ("25.10. klo 3 iltapäivällä", "10-25 15:00:00", "10-25 16:00:00", ""),
        ("25.10. noin 3:30", "10-25 03:20:00", "10-25 03:40:00", ""),
        ("front door 1042 06:31", "11-25 06:31:00", "11-25 06:32:00", "front door 1042"),
    ],
)
def test_time_words_are_understood(text: str, start: str, end: str, rest: str) -> None:
    found = parse_time_words(text, NOW, ZONE)
    assert found.span is not None
    assert (local(found.span.start_ns), local(found.span.end_ns), found.rest) == (start, end, rest)


@pytest.mark.parametrize("text", ["", "1042", "Matti Meikäläinen", "Door 3", "18", "99:99", "31.2.", "5-5", "40.40"])
def test_what_is_no_time_is_left(text: str) -> None:
    found = parse_time_words(text, NOW, ZONE)
    assert (found.span, found.rest) == (None, " ".join(text.casefold().split()))


def test_the_night_when_the_clock_is_set_back_has_25_hours() -> None:
    found = parse_time_words("25.10.2026", NOW, ZONE)
    assert found.span is not None
    assert found.span.duration_ns == 25 * 3600 * NS


@given(st.text(max_size=60) | st.text(alphabet="0123456789:.-–/ klopmaeti", max_size=30))
def test_whatever_is_typed_does_not_raise(text: str) -> None:
    found = parse_time_words(text, NOW, ZONE)
    assert found.span is None or found.span.duration_ns > 0


@pytest.mark.parametrize("text", ["29.3. 03:30-04:10", "29.3. klo 3", "29.3. 3:30", "29.3. 03:59:59"])
def test_time_that_was_left_out_is_a_span_all_the_same(text: str) -> None:
    span = parse_time_words(text, NOW, ZONE).span
    assert span is not None
    assert span.start_ns < span.end_ns


def test_time_that_came_twice_is_looked_for_twice() -> None:
    span = parse_time_words("25.10. 03:31", NOW, ZONE).span
    assert span is not None
    assert span.start_ns == from_iso("2026-10-25T03:31:00+03:00")
    assert span.end_ns == from_iso("2026-10-25T03:32:00+02:00")
