"""The gym's list of members as CSV: ``number,name,credential,valid_from,valid_to,minor``. Pure.

number and name are needed; other columns are not read. Separated by commas or semicolons, UTF-8, first line names the
columns. A member with two credentials has two lines. Times: RFC 3339 with an offset, or a day (UTC; valid_to: to the
day's end). minor: yes, true, 1 or no, false, 0, blank.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from domain.time import DAY_NS, from_iso
from indexer.decoders import normalised_credential

FOREVER_NS: Final = (1 << 63) - 1
_NEEDED: Final = ("number", "name")
_LIMITS: Final = {"number": 64, "name": 200, "credential": 128}
_MINOR: Final = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
_KNOWN: Final = (*_NEEDED, "credential", "valid_from", "valid_to", "minor")
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
    header = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    lines: list[MemberLine] = []
    errors: list[LineError] = []
    last = 1  # the line of the last row that was read
    try:
        reader.fieldnames = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in _NEEDED if name not in reader.fieldnames]
        if missing:
            return [], [LineError(line=1, column=name, what="the column is missing") for name in missing]
        twice = sorted({name for name in _KNOWN if reader.fieldnames.count(name) > 1})
        if twice:
            return [], [LineError(line=1, column=name, what="there are two such columns") for name in twice]
        for row in reader:
            last = reader.line_num
            line, wrong = _line(reader.line_num, row)
            errors.extend(wrong)
            if line is not None:
                lines.append(line)
    except csv.Error as exc:
        errors.append(LineError(line=max(reader.line_num, last + 1), column="line", what=f"is not CSV: {exc}"))
    errors.extend(_contradictions(lines))
    return lines, sorted(errors, key=lambda error: error.line)


class _RangeError(ValueError):
    """A time that is later than any."""


def _line(number: int, row: dict[str | None, str | list[str] | None]) -> tuple[MemberLine | None, list[LineError]]:
    errors: list[LineError] = []

    def wrong(column: str, what: str) -> None:
        errors.append(LineError(line=number, column=column, what=what))

    if None in row or None in row.values():
        wrong("line", "has more or fewer fields than the header")
        return None, errors
    fields = {str(name): str(value).strip() for name, value in row.items()}
    for name, limit in _LIMITS.items():
        value = fields.get(name, "")
        if name in _NEEDED and not value:
            wrong(name, "is blank")
        if len(value) > limit or not value.isprintable():
            wrong(name, f"is longer than {limit} characters, or not printable")
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
