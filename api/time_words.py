"""Time in plain words, Finnish and English, as people type it into the search box. Pure.

``06:31`` · ``klo 18`` · ``6.30 pm`` · ``yesterday 18-19`` · ``eilen 22-02`` · ``22.11. 06:31`` · ``2026-11-22`` ·
``maanantaina aamulla`` · ``last 10 minutes`` · ``10 min sitten`` · ``noin 6:31`` · ``klo noin 6``

Without a day a time is the latest one that has begun. ``7.12.`` is a date, ``7.12`` a time: the last dot tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.time import DAY_NS, HOUR_NS, MINUTE_NS, NS, Span

_CLOCK: Final = r"(?P<h{n}>[01]?\d|2[0-4])(?:[:.](?P<m{n}>[0-5]\d)(?:[:.](?P<s{n}>[0-5]\d))?)?(?:\s?(?P<p{n}>am|pm))?"
_PREFIX: Final = r"(?:(?:klo|kello|at|between|välillä)\s*)?"
_RANGE: Final = re.compile(
    rf"(?<![\w.:-]){_PREFIX}{_CLOCK.format(n=1)}\s?(?:-|–|—|\bto\b)\s?{_CLOCK.format(n=2)}(?![\w:-])"
)
_SINGLE: Final = re.compile(
    rf"(?<![\w.:-])(?P<at>(?:klo|kello|at)\s*)?(?P<about>(?:noin|n\.|about|around|circa|suunnilleen|~)\s*)?"
    rf"(?P<then>(?:klo|kello|at)\s*)?{_CLOCK.format(n=1)}(?![\w:-])(?!\.\d)"
)
_DATES: Final = (
    re.compile(r"(?<![\w.:-])(?P<y>20\d\d)-(?P<m>\d\d?)-(?P<d>\d\d?)(?![\w:-])"),
    re.compile(r"(?<![\w.:-])(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>20\d\d)?(?!\w)"),
    re.compile(r"(?<![\w.:-])(?P<d>\d\d?)/(?P<m>\d\d?)(?:/(?P<y>20\d\d))?(?![\w/])"),
)
_DAYS: Final = (
    (re.compile(r"\b(?:toissa\s?päivänä|toissapäivä|the day before yesterday|day before yesterday)\b"), 2),
    (re.compile(r"\b(?:eilen|eilinen|yesterday)\b"), 1),
    (re.compile(r"\b(?:tänään|today|tänä(?=\s+(?:aamuna|iltana))|this(?=\s+(?:morning|afternoon|evening)))\b"), 0),
)
_WEEKDAYS: Final = (
    "monday|maanantai(?:na)?",
    "tuesday|tiistai(?:na)?",
    "wednesday|keskiviikko(?:na)?",
    "thursday|torstai(?:na)?",
    "friday|perjantai(?:na)?",
    "saturday|lauantai(?:na)?",
    "sunday|sunnuntai(?:na)?",
)
_WEEKDAY: Final = re.compile(
    r"\b(?:last\s+|viime\s+|on\s+)?(?:" + "|".join(f"(?P<w{n}>{names})" for n, names in enumerate(_WEEKDAYS)) + r")\b"
)
_PARTS: Final = (
    (re.compile(r"\b(?:in the |this )?(?:aamulla|aamuna|morning)\b"), 5, 11),
    (re.compile(r"\b(?:in the |this )?(?:iltapäivällä|afternoon)\b"), 12, 17),
    (re.compile(r"\b(?:in the |this )?(?:illalla|iltana|evening)\b"), 17, 23),
    (re.compile(r"\b(?:at |in the )?(?:yöllä|night)\b"), 0, 6),
)
_UNIT: Final = r"(?P<u>min(?:uutti[a]?|uuttia|uutin|utes?|\.)?|tunti[a]?|tunnin|hours?|hrs?|h|t)"
_LAST: Final = re.compile(rf"\b(?:last|past|viime|viimeis(?:et|in|en))\s+(?:(?P<n>\d{{1,3}})\s*)?{_UNIT}(?!\w)")
_AGO: Final = re.compile(rf"(?<!\w)(?:(?P<n>\d{{1,3}})|an?|one)?\s*{_UNIT}\s+(?:ago|sitten)\b")
_ABOUT_NS: Final = 10 * MINUTE_NS
_SECOND_NS: Final = 10 * NS


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWords:
    """What was understood. ``span`` None: no time was named. ``rest``: what else was typed."""

    span: Span | None
    rest: str


def parse_time_words(text: str, now_ns: int, zone: str) -> TimeWords:
    """Never raises on what people type; what is not understood is left in ``rest``."""
    words = _Words(" ".join(text.casefold().split()))
    local = ZoneInfo(zone)
    span = _relative(words, now_ns)
    if span is None:
        now = datetime.fromtimestamp(now_ns // NS, tz=local)
        day = _day(words, now.date())
        span = _range(words, day, now) or _part(words, day, now) or _single(words, day, now) or _whole_day(day, local)
    return TimeWords(span=span, rest=" ".join(words.text.split()))


class _Words:
    """The text that has not been understood yet."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.search(self.text)
        if match:
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        return match

    def put_back(self, match: re.Match[str]) -> None:
        self.text = match.string


def _relative(words: _Words, now_ns: int) -> Span | None:
    if match := words.take(_LAST):
        return Span(max(0, now_ns - _length_ns(match)), now_ns)
    if match := words.take(_AGO):
        middle, slack = now_ns - _length_ns(match), max(2 * MINUTE_NS, _length_ns(match) // 10)
        return Span(max(0, middle - slack), min(now_ns, middle + slack))
    return None


def _length_ns(match: re.Match[str]) -> int:
    unit = MINUTE_NS if match["u"].startswith("min") else HOUR_NS
    return int(match["n"] or 1) * unit


def _day(words: _Words, today: date) -> date | None:
    for pattern in _DATES:
        if match := words.take(pattern):
            if found := _date(match, today):
                return found
            words.put_back(match)
    for pattern, back in _DAYS:
        if words.take(pattern):
            return today - timedelta(days=back)
    if match := words.take(_WEEKDAY):
        wanted = next(number for number in range(7) if match[f"w{number}"])
        back = (today.weekday() - wanted) % 7
        return today - timedelta(days=back or (7 if match[0].startswith(("last", "viime")) else 0))
    return None


def _date(match: re.Match[str], today: date) -> date | None:
    """Without a year the latest such day that is not in the future."""
    try:
        if match["y"]:
            return date(int(match["y"]), int(match["m"]), int(match["d"]))
        found = date(today.year, int(match["m"]), int(match["d"]))
        return found if found <= today else found.replace(year=today.year - 1)
    except ValueError:
        return None


def _range(words: _Words, day: date | None, now: datetime) -> Span | None:
    match = words.take(_RANGE)
    if match is None:
        return None
    first, last = _clock(match, 1), _clock(match, 2)
    if match["p2"] and not match["p1"] and first + timedelta(hours=12) < last and first < timedelta(hours=12):
        first += timedelta(hours=12)
    if first == last:
        words.put_back(match)
        return None
    # Across midnight: the end lies on the next day.
    return _placed(first, last if last > first else last + timedelta(days=1), day, now)


def _part(words: _Words, day: date | None, now: datetime) -> Span | None:
    """A part of the day, unless a clock time says it more exactly: "6:30 in the morning"."""
    for pattern, first, last in _PARTS:
        match = words.take(pattern)
        if match is None:
            continue
        if exact := _single(words, day, now):
            return _in_the_evening(exact, day, now) if first >= 12 else exact
        return _placed(timedelta(hours=first), timedelta(hours=last), day, now)
    return None


def _in_the_evening(span: Span, day: date | None, now: datetime) -> Span:
    """6:30 of the afternoon or evening is 18:30; 18:30 of the evening is that already."""
    if datetime.fromtimestamp(span.start_ns / NS, now.tzinfo).hour >= 12:
        return span
    later = 12 * HOUR_NS
    if day is None and span.start_ns + later > int(now.timestamp()) * NS:
        later -= DAY_NS
    return Span(span.start_ns + later, span.end_ns + later)


def _single(words: _Words, day: date | None, now: datetime) -> Span | None:
    match = words.take(_SINGLE)
    if match is None:
        return None
    whole_hour = match["m1"] is None
    if whole_hour and not (match["at"] or match["then"] or match["p1"] or match["about"]):
        words.put_back(match)  # a bare number: a member's, more likely
        return None
    start = _clock(match, 1)
    length = timedelta(hours=1) if whole_hour else timedelta(minutes=1)
    span = _placed(start, start + length, day, now)
    if match["about"]:
        return Span(span.start_ns - _ABOUT_NS, span.start_ns + _ABOUT_NS)
    if match["s1"]:
        return Span(span.start_ns - _SECOND_NS, span.start_ns + _SECOND_NS)
    return span


def _clock(match: re.Match[str], number: int) -> timedelta:
    hour = int(match[f"h{number}"])
    if match[f"p{number}"] and hour <= 12:
        hour = hour % 12 + (12 if match[f"p{number}"] == "pm" else 0)
    return timedelta(hours=hour, minutes=int(match[f"m{number}"] or 0), seconds=int(match[f"s{number}"] or 0))


def _whole_day(day: date | None, zone: ZoneInfo) -> Span | None:
    if day is None:
        return None
    return Span(_at(day, timedelta(0), zone), _at(day, timedelta(days=1), zone))


def _placed(first: timedelta, last: timedelta, day: date | None, now: datetime) -> Span:
    assert isinstance(now.tzinfo, ZoneInfo)
    zone = now.tzinfo
    if day is None:
        day = now.date()
        if _at(day, first, zone) > int(now.timestamp()) * NS:
            day -= timedelta(days=1)
    start_ns, end_ns = _at(day, first, zone), _at(day, last, zone, fold=1)
    if end_ns <= start_ns:  # one of them was left out when the clock was set ahead
        end_ns = start_ns + (last - first) // timedelta(seconds=1) * NS
    return Span(start_ns, end_ns)


def _at(day: date, clock: timedelta, zone: ZoneInfo, fold: int = 0) -> int:
    """Wall time on that day, in UTC; where the clock was set back the earlier one, with ``fold`` the later."""
    wall = datetime.combine(day, time()) + clock
    return int(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp()) * NS
