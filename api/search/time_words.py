"""Time in plain words, Finnish and English, as people type it into the search box. Pure.

``06:31`` · ``klo 18`` · ``6.30 pm`` · ``yesterday 18-19`` · ``eilen 22-02`` · ``22.11. 06:31`` · ``2026-11-22`` ·
``maanantaina aamulla`` · ``last 10 minutes`` · ``10 min sitten`` · ``noin 6:31`` · ``klo noin 6``

Without a day a time is the latest one that has begun. ``7.12.`` is a date, ``7.12`` a time: the last dot decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.time import DAY_NS, HOUR_NS, MINUTE_NS, NS, Span

_CLOCK: Final = r"(?P<h{n}>[01]?\d|2[0-4])(?:[:.](?P<m{n}>[0-5]\d)(?:[:.](?P<s{n}>[0-5]\d))?)?(?:\s?(?P<p{n}>am|pm))?"
_PREFIX: Final = r"(?:(?:klo|kello|at|between|välillä)\s*)?"
_RANGES: Final = (
    re.compile(rf"(?<![\w.:-]){_PREFIX}{_CLOCK.format(n=1)}\s?(?:-|–|—|\bto\b)\s?{_CLOCK.format(n=2)}(?![\w:-])"),
    re.compile(rf"\b(?:between|välillä)\s+{_PREFIX}{_CLOCK.format(n=1)}\s+(?:and|ja)\s+{_CLOCK.format(n=2)}(?![\w:-])"),
    re.compile(rf"(?<![\w.:-]){_PREFIX}{_CLOCK.format(n=1)}\s+ja\s+{_CLOCK.format(n=2)}\s+välillä\b"),
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
_HOUR: Final = (
    r"(?:(?<![\w.:-])(?:(?:noin|about|around)\s+)?(?:(?:klo|kello|at)\s+)?(?P<h>1[0-2]|0?[1-9])\s+(?:o'clock\s+)?)?"
)
_NIGHT: Final = 20
_PARTS: Final = (
    (re.compile(rf"{_HOUR}\b(?:in the |this )?(?:aamulla|aamuna|morning)\b"), 5, 11),
    (re.compile(rf"{_HOUR}\b(?:in the |this )?(?:aamupäivällä|forenoon)\b"), 8, 12),
    (re.compile(rf"{_HOUR}\b(?:in the |this )?(?:iltapäivällä|afternoon)\b"), 12, 17),
    (re.compile(rf"{_HOUR}\b(?:in the |this )?(?:illalla|iltana|evening)\b"), 17, 23),
    (re.compile(rf"{_HOUR}\b(?:at |in the |this )?(?:yöllä|yönä|night)\b"), _NIGHT, 30),
)
"""Words, with an hour before them, and the hours of that part of a day; beyond 24 are the next day's."""
_LAST_NIGHT: Final = re.compile(r"\b(?:last night|viime yö(?:nä|llä)?)\b")
_DOTTED: Final = re.compile(r"\b([ap])\.\s?m\b\.?")
_UNIT: Final = (
    r"(?P<u>min(?:uutti[a]?|uuttia|uutin|utes?|\.)?|tunti[a]?|tunnin|hours?|hrs?|h|t"
    r"|days?|päivä[än]?|vuorokau(?:si|tta|den)|weeks?|viik(?:ko|koa|olla|on))"
)
_LAST: Final = re.compile(rf"\b(?:last|past|viime|viimei(?:set|sin|sen|nen))\s+(?:(?P<n>\d{{1,3}})\s*)?{_UNIT}(?!\w)")
_AGO: Final = re.compile(
    rf"(?<!\w)(?:(?P<n>\d{{1,3}})|(?P<half>half(?: an?)?|puoli)|an?|one)?\s*{_UNIT}\s+(?:ago|sitten)\b"
)
_UNITS: Final = {"min": MINUTE_NS, "d": DAY_NS, "p": DAY_NS, "vu": DAY_NS, "w": 7 * DAY_NS, "vi": 7 * DAY_NS}
"""By how their words begin; the others are hours."""
_HALF: Final = timedelta(hours=12)
_ABOUT_NS: Final = 10 * MINUTE_NS
_SECOND_NS: Final = 10 * NS


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWords:
    """What was understood. ``span`` None: no time was named. ``rest``: what else was typed."""

    span: Span | None
    rest: str


def parse_time_words(text: str, now_ns: int, zone: str) -> TimeWords:
    """Parse the text. Never raises; what it does not understand is left in ``rest``."""
    words = _Words(_DOTTED.sub(r"\1m", " ".join(text.casefold().split())))
    span = _relative(words, now_ns)
    if span is None:
        now = datetime.fromtimestamp(now_ns // NS, tz=ZoneInfo(zone))
        day, weekday = _day(words, now.date())
        timed = words.text
        span = _of_day(words, day, now)
        if weekday and day == now.date() and span is not None and span.start_ns > now_ns:
            words.text = timed
            span = _of_day(words, day - timedelta(days=7), now)  # Thursday evening, asked on a Thursday morning
    return TimeWords(span=span, rest=" ".join(word for word in words.text.split() if any(map(str.isalnum, word))))


def _of_day(words: _Words, day: date | None, now: datetime) -> Span | None:
    assert isinstance(now.tzinfo, ZoneInfo)
    return (
        _last_night(words, day, now)
        or _range(words, day, now)
        or _part(words, day, now)
        or _single(words, day, now)
        or _whole_day(day, now.tzinfo)
    )


class _Words:
    """The text that has not been understood yet."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the first match and remove it from the text."""
        match = pattern.search(self.text)
        if match:
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        return match

    def take_where(self, pattern: re.Pattern[str], wanted: Callable[[re.Match[str]], bool]) -> re.Match[str] | None:
        """The first match that is wanted."""
        for match in pattern.finditer(self.text):
            if wanted(match):
                self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
                return match
        return None

    def put_back(self, match: re.Match[str]) -> None:
        """Restore the text from before a match was taken."""
        self.text = match.string


def _relative(words: _Words, now_ns: int) -> Span | None:
    if match := words.take(_LAST):
        return Span(max(0, now_ns - _length_ns(match)), now_ns)
    if match := words.take(_AGO):
        middle, slack = now_ns - _length_ns(match), max(2 * MINUTE_NS, _length_ns(match) // 10)
        return Span(max(0, middle - slack), min(now_ns, middle + slack))
    return None


def _length_ns(match: re.Match[str]) -> int:
    unit = next((length for first, length in _UNITS.items() if match["u"].startswith(first)), HOUR_NS)
    if match.re is _AGO and match["half"]:
        return unit // 2
    return int(match["n"] or 1) * unit


def _day(words: _Words, today: date) -> tuple[date | None, bool]:
    """The day, and whether it was named as a day of the week, of which the latest is meant."""
    for pattern in _DATES:
        if match := words.take(pattern):
            if found := _date(match, today):
                return found, False
            words.put_back(match)
    for pattern, back in _DAYS:
        if words.take(pattern):
            return today - timedelta(days=back), False
    if match := words.take(_WEEKDAY):
        wanted = next(number for number in range(7) if match[f"w{number}"])
        back = (today.weekday() - wanted) % 7
        last = match[0].startswith(("last", "viime"))
        return today - timedelta(days=back or (7 if last else 0)), not last
    return None, False


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
    for pattern in _RANGES:
        match = words.take(pattern)
        if match is None:
            continue
        first, last = _clock(match, 1), _clock(match, 2)
        if match["p1"] or match["p2"]:
            first, last = _same_half(match, first, last)
        elif _late_part(words):
            first, last = (each + _HALF if each < _HALF else each for each in (first, last))
        else:
            _early_part(words)
        if first == last:
            words.put_back(match)
            return None
        # Across midnight: the end lies on the next day.
        return _placed(first, last if last > first else last + timedelta(days=1), day, now)
    return None


def _same_half(match: re.Match[str], first: timedelta, last: timedelta) -> tuple[timedelta, timedelta]:
    """6-7pm, 6pm-7, 11am-1: the half of the day given for one of them holds for both; the earlier end counts."""
    if match["p2"] and not match["p1"] and first + _HALF < last and first < _HALF:
        first += _HALF
    elif match["p1"] and not match["p2"] and last < _HALF:
        while last <= first:
            last += _HALF
    return first, last


def _late_part(words: _Words) -> bool:
    """Takes "in the evening" out of what is left of "6-7 in the evening"."""
    return any(words.take(pattern) for pattern, first, _ in _PARTS if 12 <= first < _NIGHT)


def _early_part(words: _Words) -> None:
    """The same with the morning, which changes nothing."""
    for pattern, _, last in _PARTS:
        if last <= 12:
            words.take(pattern)


def _last_night(words: _Words, day: date | None, now: datetime) -> Span | None:
    if day is not None or not words.take(_LAST_NIGHT):
        return None
    yesterday = now.date() - timedelta(days=1)
    if exact := _single(words, None, now, "night"):
        return exact
    return _placed(timedelta(hours=_NIGHT), timedelta(hours=30), yesterday, now)


def _part(words: _Words, day: date | None, now: datetime) -> Span | None:
    """A part of the day, unless a clock time says it more exactly: "6:30 in the morning", "8 in the evening"."""
    for pattern, first, last in _PARTS:
        match = words.take(pattern)
        if match is None:
            continue
        part = "night" if first == _NIGHT else "late" if first >= 12 else ""
        if match["h"]:
            start = _in_part(timedelta(hours=int(match["h"])), part)
            return _placed(start, start + timedelta(hours=1), day, now)
        if exact := _single(words, day, now, part):
            return exact
        return _placed(timedelta(hours=first), timedelta(hours=last), day, now)
    return None


def _in_part(clock: timedelta, part: str) -> timedelta:
    """6:30 of the afternoon or evening is 18:30, 11:30 of the night 23:30 and 12:30 half past midnight."""
    if part == "late" and clock < _HALF:
        return clock + _HALF
    if part == "night":
        if timedelta(hours=8) <= clock < _HALF:
            return clock + _HALF
        if _HALF <= clock < _HALF + timedelta(hours=1):
            return clock - _HALF
    return clock


def _single(words: _Words, day: date | None, now: datetime, part: str = "") -> Span | None:
    # A bare number is a member's, more likely, or a door's.
    match = words.take_where(_SINGLE, lambda found: any(found[name] for name in ("m1", "at", "then", "p1", "about")))
    if match is None:
        return None
    start = _clock(match, 1)
    if part and not match["p1"]:
        start = _in_part(start, part)
    length = timedelta(hours=1) if match["m1"] is None else timedelta(minutes=1)
    span = _placed(start, start + length, day, now)
    about_ns = _ABOUT_NS if match["about"] else _SECOND_NS if match["s1"] else 0
    if not about_ns:
        return span
    # Around the moment; where that comes twice, around both.
    return Span(span.start_ns - about_ns, span.end_ns - length // timedelta(seconds=1) * NS + about_ns)


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
