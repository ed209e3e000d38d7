"""The members' file and what it changes about credentials."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import DAY_NS
from indexer.members.credential_plan import CredentialPlan, Holding, plan_credentials
from indexer.members.member_file import FOREVER_NS, MemberLine, read_members

NOW = 20_000 * DAY_NS
IDS = {"1": uuid.uuid4(), "2": uuid.uuid4()}
HEAD = "number,name,credential,valid_from,valid_to,minor\n"


def day(text: str) -> int:
    lines, errors = read_members(HEAD + f"1,A,C,{text},,\n")
    assert not errors and lines[0].valid_from_ns is not None
    return lines[0].valid_from_ns


def lines_of(body: str) -> list[MemberLine]:
    lines, errors = read_members(HEAD + body)
    assert not errors
    return lines


def held(credential: str, number: str, start: int, end: int = FOREVER_NS) -> Holding:
    return Holding(credential=credential, member_id=IDS[number], from_ns=start, to_ns=end)


def plan(body: str, *known: Holding) -> CredentialPlan:
    return plan_credentials(lines_of(body), IDS, known, NOW)


def once_more(body: str, made: CredentialPlan, days: int) -> tuple[object, ...]:
    """What the same lines change ``days`` later: nothing."""
    known = sorted(made.add, key=lambda one: (one.credential, one.from_ns))
    again = plan_credentials(lines_of(body), IDS, known, NOW + days * DAY_NS)
    return (again.add, again.remove, again.errors)


def after(body: str, *known: Holding) -> set[tuple[str, UUID, int, int]]:
    made = plan(body, *known)
    assert not made.errors
    kept = [*(one for one in known if one not in made.remove), *made.add]
    return {(one.credential, one.member_id, one.from_ns, one.to_ns) for one in kept}


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


def test_first_credential_is_valid_always() -> None:
    assert after("1,A,C,,,\n") == {("C", IDS["1"], 0, FOREVER_NS)}


def test_repeat_changes_nothing() -> None:
    body = "1,A,C,,,\n1,A,D,2020-01-01,2030-01-01,\n2,B,,,,\n"
    first = plan(body)
    again = plan_credentials(lines_of(body), IDS, first.add, NOW + DAY_NS)
    assert (again.add, again.remove, again.errors) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [
        "1,A,C,,2020-01-31,\n",
        "1,A,C,,2020-01-31,\n2,B,C,2020-02-01,,\n",
        "1,A,C,,2020-01-31,\n1,A,D,2020-02-01,,\n",
        "1,A,C,2030-01-01,2031-01-01,\n1,A,D,,,\n",
        "1,A,C,2019-01-01,2019-12-31,\n1,A,C,2020-06-01,,\n",
    ],
)
def test_list_that_is_imported_every_night_changes_nothing(body: str) -> None:
    first = plan(body)
    assert first.errors == []
    for days in (0, 1, 400):
        assert once_more(body, first, days) == ([], [], [])


@given(st.data())
def test_random_lists_change_nothing_the_second_time(data: st.DataObject) -> None:
    days = st.sampled_from(("", "2019-06-01", "2024-09-01", "2024-10-10", "2024-12-01", "2031-01-01"))
    lines = data.draw(
        st.dictionaries(st.tuples(st.sampled_from("12"), st.sampled_from("CDE")), st.tuples(days, days), max_size=5)
    )
    body = "".join(
        f"{number},{'AB'['12'.index(number)]},{credential},{start},{end},\n"
        for (number, credential), (start, end) in lines.items()
    )
    parsed, errors = read_members(HEAD + body)
    first = plan_credentials(parsed, IDS, [], NOW)
    if errors or first.errors:
        return
    assert all(one.from_ns < one.to_ns for one in first.add)
    for days_on in (0, 1, 40):
        assert once_more(body, first, days_on) == ([], [], [])


def test_line_about_the_past_takes_nothing_from_the_present() -> None:
    """A nightly list names those who left, too; the card may be another's now."""
    bos = held("C", "2", 0)
    assert after("1,A,C,,2020-01-31,\n", bos) == {("C", IDS["2"], 0, FOREVER_NS)}
    assert after("1,A,C,2020-01-01,2020-12-31,\n", held("D", "1", 0)) == {
        ("C", IDS["1"], day("2020-01-01"), day("2021-01-01")),
        ("D", IDS["1"], 0, FOREVER_NS),
    }
    ended = Holding(credential="C", member_id=IDS["1"], from_ns=0, to_ns=day("2020-01-16"))
    assert plan("1,A,C,,2020-01-31,\n", ended).add == []
    assert after("1,A,C,,2020-01-31,\n", held("C", "1", 0)) == {("C", IDS["1"], 0, day("2020-02-01"))}


def test_line_about_the_past_leaves_the_rest_of_another_ones_holding() -> None:
    body = "1,Aino,E5,2026-03-01,2026-03-31,\n"
    start, end = day("2026-03-01"), day("2026-04-01")
    now_ns = day("2026-11-25")
    made = plan_credentials(lines_of(body), IDS, [held("E5", "2", 0)], now_ns)
    assert not made.errors
    assert {(one.member_id, one.from_ns, one.to_ns) for one in made.add} == {
        (IDS["2"], 0, start),
        (IDS["1"], start, end),
        (IDS["2"], end, FOREVER_NS),
    }
    assert (made.new, made.changed, made.closed) == (1, 1, 0)
    again = plan_credentials(lines_of(body), IDS, made.add, now_ns)
    assert (again.add, again.remove, again.errors) == ([], [], [])


def test_renewal_told_early_leaves_what_is_valid_now() -> None:
    assert after("1,A,C,2030-03-01,2030-12-31,\n", held("C", "1", 0)) == {("C", IDS["1"], 0, day("2031-01-01"))}
    later = held("C", "1", day("2030-03-01"))
    assert after("1,A,C,2030-05-01,,\n", later) == {("C", IDS["1"], day("2030-05-01"), FOREVER_NS)}


def test_changed_credential_closes_the_old_one() -> None:
    assert after("1,A,D,,,\n", held("C", "1", 0)) == {("C", IDS["1"], 0, NOW), ("D", IDS["1"], 0, FOREVER_NS)}
    start = day("2020-05-05")
    assert after("1,A,D,2020-05-05,,\n", held("C", "1", 0)) == {
        ("C", IDS["1"], 0, start),
        ("D", IDS["1"], start, FOREVER_NS),
    }


def test_credential_that_is_listed_too_stays_open() -> None:
    assert after("1,A,C,,,\n1,A,D,,,\n", held("C", "1", 0)) == {
        ("C", IDS["1"], 0, FOREVER_NS),
        ("D", IDS["1"], 0, FOREVER_NS),
    }


def test_unlisted_credential_stays_when_nothing_new_comes() -> None:
    known = (held("C", "1", 0), held("D", "1", 0))
    assert plan("1,A,C,,,\n", *known).add == []
    assert plan("1,A,,,,\n", *known).add == []


def test_new_holder_ends_the_former_one() -> None:
    assert after("2,B,C,,,\n", held("C", "1", 0)) == {("C", IDS["1"], 0, NOW), ("C", IDS["2"], NOW, FOREVER_NS)}
    start = day("2020-05-05")
    assert after("2,B,C,2020-05-05,,\n", held("C", "1", 0)) == {
        ("C", IDS["1"], 0, start),
        ("C", IDS["2"], start, FOREVER_NS),
    }


def test_two_holders_at_once_are_an_error() -> None:
    made = plan("1,A,C,2020-01-01,,\n2,B,C,2021-01-01,,\n")
    assert [error.line for error in made.errors] == [3]
    made = plan("2,B,C,2020-01-01,,\n", held("C", "1", day("2021-01-01")))
    assert [error.line for error in made.errors] == [2]


def test_one_after_the_other_is_none() -> None:
    assert len(after("1,A,C,2020-01-01,2020-12-31,\n2,B,C,2021-01-01,,\n")) == 2


def test_validity_can_be_moved() -> None:
    end = day("2031-01-01")
    assert after("1,A,C,2020-01-01,2030-12-31,\n", held("C", "1", 0)) == {("C", IDS["1"], day("2020-01-01"), end)}


def test_personal_data_is_not_in_repr() -> None:
    (line,) = lines_of("4711,Canary,C0FFEE,,,\n")
    text = repr(line) + repr(plan("1,A,C0FFEE,,,\n").add)
    assert not any(secret in text for secret in ("4711", "Canary", "C0FFEE"))


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
