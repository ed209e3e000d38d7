"""What a list changes about credentials; the same list once more changes nothing."""

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
