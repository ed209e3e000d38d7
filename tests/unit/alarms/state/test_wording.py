"""What people read: the thing first, times with their zone, and nothing that breaks a header."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from alarms.conditions import Kind
from alarms.state.notice import Change, Line, Notice
from alarms.state.wording import Writer, age, payload, subject, text
from domain.time import NS, from_iso

SINCE_NS = from_iso("2026-11-22T04:31:04Z")
WRITER = Writer(installation="Gym", zone=ZoneInfo("Europe/Helsinki"))


def notice(*lines: Line, change: Change = Change.RAISED, also: tuple[Line, ...] = ()) -> Notice:
    at_ns = SINCE_NS + 3900 * NS
    return Notice(notice_id="i.1", change=change, incident="i", at_ns=at_ns, since_ns=SINCE_NS, lines=lines, also=also)


def line(what: str = "Camera Hall cannot be reached.", cleared_ns: int | None = None) -> Line:
    return Line(kind=Kind.CAMERA, subject="7", what=what, remedy="Look.", since_ns=SINCE_NS, cleared_ns=cleared_ns)


def test_subject_names_the_first_and_counts_the_rest() -> None:
    assert subject(notice(line()), WRITER) == "[Gym] Alarm: Camera Hall cannot be reached."
    assert subject(notice(line(), line(), also=(line(),)), WRITER).endswith(" (and 2 more)")
    cleared = notice(line(cleared_ns=SINCE_NS + NS), change=Change.CLEARED)
    assert subject(cleared, WRITER) == "[Gym] All clear: Camera Hall cannot be reached."


def test_text_has_times_by_the_sites_clock_and_the_remedy() -> None:
    said = text(notice(line()), WRITER)
    assert "Since 2026-11-22 06:31:04 EET." in said
    assert "  Look." in said
    assert "for 1 h 5 min" in text(notice(line(), change=Change.REMINDER), WRITER)


def test_what_is_over_is_not_told_in_the_present() -> None:
    said = text(notice(line(), line(cleared_ns=SINCE_NS + 60 * NS), change=Change.REMINDER), WRITER)
    began = "it began 2026-11-22 06:31:04 EET"
    assert f"- Over since 2026-11-22 06:32:04 EET; {began}: Camera Hall cannot be reached.\n" in said
    assert subject(notice(line("Old.", cleared_ns=SINCE_NS), line("New.")), WRITER) == "[Gym] Alarm: New."


def test_control_characters_from_outside_break_nothing() -> None:
    evil = notice(line("Camera\r\nBcc: all@example.org\x1b[2J\u202e is away."))
    assert subject(evil, WRITER).isprintable()
    assert "\r" not in text(evil, WRITER) and "\x1b" not in text(evil, WRITER)
    assert str(payload(evil, WRITER)).isprintable()


def test_ages() -> None:
    assert [age(seconds) for seconds in (-1, 40, 720, 3600, 11_100, 200_000)] == [
        "0 s", "40 s", "12 min", "1 h", "3 h 5 min", "2 days"
    ]  # fmt: skip
