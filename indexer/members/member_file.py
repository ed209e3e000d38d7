"""The gym's list of members as CSV: ``number,name,credential,valid_from,valid_to,minor``. Pure.

number and name are needed; columns of the register (storage/register/fields.py) are handed on as they are, others are
not read. UTF-8, parted by commas, semicolons or tabs; the first line
names the columns, and blank rows count for nothing. A member with two credentials has two lines. Times: RFC 3339 with
an offset, or a day (UTC; valid_to: to the day's end). minor: yes, true, 1 or no, false, 0, blank.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from domain.time import DAY_NS, from_iso
from indexer.decoders import normalised_credential
from storage.register.table import COLUMNS

FOREVER_NS: Final = (1 << 63) - 1
_NEEDED: Final = ("number", "name")
_LIMITS: Final = {"number": 64, "name": 200, "credential": 128}
_MINOR: Final = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
_DELIMITERS: Final = (",", ";", "\t", "|")
_SEPARATOR_LINE: Final = re.compile(r"sep=([,;\t|])", re.IGNORECASE)
_NO_COLUMN: Final = "the column is missing; the first line names the columns, parted by commas, semicolons or tabs"
_INVISIBLE: Final = frozenset("\u00ad\u200b\u200e\u200f\u2060\ufeff")
_JOINERS: Final = {0x200C: None, 0x200D: None}  # join letters and emoji; str.isprintable() takes them for no sign
_ROUNDED: Final = re.compile(r"\d+([.,]\d+)?E[+-]\d+|\d+[.,]0+|\d{15}0{2,}", re.IGNORECASE)
"""1,23457E+11; 1041.0; and a long number of which Excel kept 15 digits."""
_KNOWN: Final = (*_NEEDED, "credential", "valid_from", "valid_to", "minor", *COLUMNS)
_LAST_YEAR, _LAST_NS = 2128, 5 * 10**18  # later is for ever
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """``line`` counts from 1, the header included. Personal data is kept out of repr."""

    line: int
    number: str = field(repr=False)
    name: str = field(repr=False)
    credential: str | None = field(repr=False)  # normalised; None: the line says nothing of credentials
    valid_from_ns: int | None
    valid_to_ns: int
    minor: bool
    register: Mapping[str, str] = field(default_factory=dict, repr=False)  # by column, as typed


@dataclass(frozen=True, slots=True, kw_only=True)
class LineError:
    """What is wrong with a line; says nothing of what stands there."""

    line: int
    column: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.what}"


def read_members(text: str) -> tuple[list[MemberLine], list[LineError]]:
    """All lines that can be read, and everything that is wrong with the others."""
    delimiter, rows, skipped = _table(text)
    reader = csv.DictReader(io.StringIO(rows, newline=""), delimiter=delimiter, restval="", strict=True)
    lines: list[MemberLine] = []
    errors: list[LineError] = []
    last = 1  # the line of the last row that was read
    try:
        reader.fieldnames = [_cleaned(name or "").lower() for name in reader.fieldnames or ()]
        missing = [name for name in _NEEDED if name not in reader.fieldnames]
        if missing:
            return [], [LineError(line=1 + skipped, column=name, what=_NO_COLUMN) for name in missing]
        twice = sorted({name for name in _KNOWN if reader.fieldnames.count(name) > 1})
        if twice:
            what = "there are two such columns"
            return [], [LineError(line=1 + skipped, column=name, what=what) for name in twice]
        for row in reader:
            last = reader.line_num
            fields = _fields(row)
            if fields is not None and not any(fields.values()):
                continue  # a blank row
            line, wrong = _line(reader.line_num + skipped, fields)
            errors.extend(wrong)
            if line is not None:
                lines.append(line)
    except csv.Error as exc:
        number = max(reader.line_num, last + 1) + skipped
        errors.append(LineError(line=number, column="line", what=f"is not CSV: {exc}"))
    errors.extend(_contradictions(lines))
    return lines, sorted(errors, key=lambda error: error.line)


def _table(text: str) -> tuple[str, str, int]:
    """The delimiter, the rows with their header, and how many lines stand before them.

    Excel writes the delimiter into a first line of its own, ``sep=;``; otherwise the header shows it.
    """
    text = text.lstrip("\ufeff")
    first, _, rest = text.partition("\n")
    if found := _SEPARATOR_LINE.fullmatch(first.strip("\r")):
        return found[1], rest, 1
    return max(_DELIMITERS, key=first.count), text, 0


def _fields(row: dict[str | None, str | list[str] | None]) -> dict[str, str] | None:
    """By column, cleaned; None when there are more than the header names. Excel leaves out blank ones at the end."""
    more = row.pop(None, None)
    if more and any(_cleaned(value) for value in more):
        return None
    return {str(name): _cleaned(str(value)) for name, value in row.items() if name}


def _cleaned(text: str) -> str:
    """Normalise invisible characters: blanks of other kinds become blanks, soft hyphens and marks of direction go."""
    shown = (" " if unicodedata.category(sign) == "Zs" else sign for sign in text if sign not in _INVISIBLE)
    return "".join(shown).strip()


class _RangeError(ValueError):
    """A time that is later than any."""


def _line(number: int, fields: dict[str, str] | None) -> tuple[MemberLine | None, list[LineError]]:
    errors: list[LineError] = []

    def wrong(column: str, what: str) -> None:
        errors.append(LineError(line=number, column=column, what=what))

    if fields is None:
        wrong("line", "has more fields than the header")
        return None, errors
    for name, limit in _LIMITS.items():
        value = fields.get(name, "")
        if name in _NEEDED and not value:
            wrong(name, "is blank")
        if len(value) > limit or not value.translate(_JOINERS).isprintable():
            wrong(name, f"is longer than {limit} characters, or not printable")
        if name != "name" and _ROUNDED.fullmatch(value):
            wrong(name, "is a number that a spreadsheet has rounded; format the column as text, and enter it again")
    credential = normalised_credential(fields.get("credential", ""))
    if fields.get("credential") and not credential:
        wrong("credential", "has nothing but separators")
    times: dict[str, int | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            times[name] = _time(fields.get(name, ""), end=name == "valid_to")
        except _RangeError:
            wrong(name, f"is not before {_LAST_YEAR}; leave it blank for always")
        except (ValueError, OverflowError):
            wrong(name, "is neither a day (2026-01-31) nor a time with an offset")
    start, end = times.get("valid_from"), times.get("valid_to")
    if start is not None and end is not None and start >= end:
        wrong("valid_to", "is not after valid_from")
    minor = _MINOR.get(fields.get("minor", "").lower())
    if minor is None:
        wrong("minor", "is neither yes nor no")
    if errors:
        return None, errors
    line = MemberLine(
        line=number,
        number=fields["number"],
        name=fields["name"],
        credential=credential or None,
        valid_from_ns=start,
        valid_to_ns=FOREVER_NS if end is None else end,
        minor=bool(minor),
        register={each.value: fields[each] for each in COLUMNS if fields.get(each)},
    )
    return line, []


def _time(text: str, *, end: bool) -> int | None:
    """Nanoseconds; None for blank."""
    if not text:
        return None
    if len(text) == len("2026-01-31"):
        days = date.fromisoformat(text).toordinal() - _EPOCH_DAY + (1 if end else 0)
        found = max(0, days * DAY_NS)
    else:
        found = from_iso(text)
    if found >= _LAST_NS:
        if end:
            return FOREVER_NS  # 9999-12-31, as other programs write it
        raise _RangeError
    if found < 0:
        raise ValueError("before all time")
    return found


def _contradictions(lines: list[MemberLine]) -> list[LineError]:
    """Lines that say different things of one member."""
    first: dict[str, MemberLine] = {}
    errors = []
    for line in lines:
        before = first.setdefault(line.number, line)
        for column in ("name", "minor"):
            if getattr(before, column) != getattr(line, column):
                what = f"differs from line {before.line}, which has the same number"
                errors.append(LineError(line=line.line, column=column, what=what))
    return errors
