"""The members' file as people and spreadsheets write it."""

from __future__ import annotations

import pytest

from domain.time import DAY_NS
from indexer.members.member_file import FOREVER_NS, MemberLine, read_members

HEAD = "number,name,credential,valid_from,valid_to,minor\n"


def lines_of(body: str) -> list[MemberLine]:
    lines, errors = read_members(HEAD + body)
    assert not errors
    return lines


def test_file_with_semicolons_and_mark_is_read() -> None:
    lines, errors = read_members("\ufeffNumber;Name;Credential;Birthday\r\n7;Ström, Åsa;04:a1 b2;1999-01-01\r\n")
    assert not errors
    assert (lines[0].number, lines[0].name, lines[0].credential, lines[0].minor) == ("7", "Ström, Åsa", "04A1B2", False)


def test_days_are_utc_and_the_last_one_counts() -> None:
    (line,) = lines_of("1,A,C,2026-01-31,2026-01-31,yes\n")
    assert line.minor
    assert line.valid_from_ns is not None and line.valid_to_ns - line.valid_from_ns == DAY_NS


def test_all_wrong_lines_are_named_and_none_of_their_contents() -> None:
    lines, errors = read_members(
        HEAD
        + ",A,,,,\n"  # 2
        + "9,,,,,\n"  # 3
        + "9,Canary,C,tomorrow,2026-13-01,perhaps\n"  # 4
        + "9,Canary,C,2026-02-01,2026-01-01,\n"  # 5
        + "9,Canary,,,,no,more\n"  # 6
        + "8,Canary,-:-,,,\n"  # 7
        + "7,Canary,D,,,\n7,Other,E,,,\n"  # 8, 9
    )
    assert [line.line for line in lines] == [8, 9]
    assert [(error.line, error.column) for error in errors] == [
        (2, "number"),
        (3, "name"),
        (4, "valid_from"),
        (4, "valid_to"),
        (4, "minor"),
        (5, "valid_to"),
        (6, "line"),
        (7, "credential"),
        (9, "name"),
    ]
    assert not any("Canary" in str(error) for error in errors)


def test_missing_column_and_broken_quotes_are_errors() -> None:
    assert [error.column for error in read_members("number;mail\n1;a\n")[1]] == ["name"]
    assert read_members(HEAD + '1,"A"B,,,,\n')[1][0].column == "line"
    assert read_members("")[1]


@pytest.mark.parametrize("text", ["9999-12-31", "2128-06-11", "2500-01-01T00:00:00+02:00"])
def test_last_day_far_away_is_for_ever(text: str) -> None:
    (line,) = lines_of(f"1,A,C,1900-01-01,{text},\n")
    assert (line.valid_from_ns, line.valid_to_ns) == (0, FOREVER_NS)


def test_beginning_after_all_times_is_named() -> None:
    _, errors = read_members(HEAD + "1,A,C,9999-12-31,,\n")
    assert [str(error) for error in errors] == ["line 2, valid_from: is not before 2128; leave it blank for always"]


def test_column_that_is_there_twice_is_refused() -> None:
    lines, errors = read_members("number,name,credential,Credential\n1,A,C1,C2\n")
    assert lines == []
    assert [str(error) for error in errors] == ["line 1, credential: there are two such columns"]


def test_field_too_long_for_csv_is_told_with_its_line() -> None:
    _, errors = read_members(HEAD + "1,A,,,,\n2," + "x" * 140_000 + ",,,,\n")
    (error,) = errors
    assert (error.line, error.column) == (3, "line")
    assert "field larger" in error.what


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nnumber;name;credential\r\n1;A B;04A1\r\n",
        "number\tname\tcredential\n1\tA B\t04A1\n",
        "number;name;credential;\n1;A B;04A1;\n;;;\n",
        "number,name,credential\n\n1,A B,04A1\n,,\n",
        "number,name,credential\n1\u00a0,A\u00a0B,04A1\u200b\n",
        "number,name,credential\n1,A\u00ad B,04A1\n",
        "\ufeffnumber , Name,credential,minor\n1,A B,04A1\n",  # Excel leaves out blank fields at the end
    ],
)
def test_lists_as_spreadsheets_write_them_are_read(text: str) -> None:
    lines, errors = read_members(text)
    assert not errors
    assert [(line.number, line.name, line.credential) for line in lines] == [("1", "A B", "04A1")]


@pytest.mark.parametrize(
    "name", ["Aino \U0001f3cb\ufe0f\u200d\u2640\ufe0f Aalto", "\u05e2\u05d3\u05d9 \u05db\u05d4\u05df"]
)
def test_names_of_all_kinds_are_taken(name: str) -> None:
    lines, errors = read_members(f"number,name\n1,{name}\n")
    assert not errors and lines[0].name == name


@pytest.mark.parametrize("value", ["1,23457E+11", "1.23457e+11", "6,4E-05", "1041.0", "12345678901234500000"])
@pytest.mark.parametrize("column", ["number", "credential"])
def test_rounded_numbers_are_refused_by_line(value: str, column: str) -> None:
    fields = {"number": "1", "name": "A", "credential": "04A1"} | {column: value}
    lines, errors = read_members("number;name;credential\n" + ";".join(fields.values()) + "\n")
    assert not lines
    assert str(errors[0]).startswith(f"line 2, {column}: is a number that a spreadsheet has rounded")


@pytest.mark.parametrize("value", ["04E10203", "12E45678", "0012345678", "5555444433332220"])
def test_card_numbers_that_look_alike_are_taken(value: str) -> None:
    lines, errors = read_members(f"number,name,credential\n1,A,{value}\n")
    assert not errors and lines[0].credential == value


def test_lines_are_counted_from_the_files_first() -> None:
    _, errors = read_members("sep=;\nnumber;name\n1;A\n;B\n")
    assert str(errors[0]).startswith("line 4, number")
