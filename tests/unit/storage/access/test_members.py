"""Members: names are folded alike on both sides, wildcards are letters, personal data stays out of texts."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.ids import DoorId, MemberId
from storage.access import MemberRow, fold, member, members, search_members
from storage.access.members import LIMIT_MAX, QUERY_MAX
from tests.support.database.recording_pool import RecordingPool

MEMBER = MemberId(UUID(int=1))
ROW = {"member_id": MEMBER, "number": "100", "name": "Aino Öhman", "minor": False}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Müller", "muller"),
        ("MULLER", "muller"),
        ("Mu\u0308ller", "muller"),  # a letter and its accent apart
        ("Straße", "strasse"),
        ("  Aino \t Öhman\n", "aino ohman"),
        ("ﬁsh", "fish"),
        ("İ", "i"),
        ("", ""),
        ("\u0301", ""),
        ("山田", "山田"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


async def test_words_and_number_become_patterns() -> None:
    pool = RecordingPool([ROW])
    (found,) = await search_members(pool, " Öhman  aino ")
    assert pool.arguments == (["%ohman%", "%aino%"], "öhman  aino%", 20, None)
    assert found == MemberRow(member_id=MEMBER, number="100", name="Aino Öhman", minor=False)


@pytest.mark.parametrize(("query", "pattern"), [("%", "%\\%%"), ("_", "%\\_%"), ("\\", "%\\\\%"), ("a%b", "%a\\%b%")])
async def test_wildcards_of_the_query_are_letters(query: str, pattern: str) -> None:
    pool = RecordingPool()
    await search_members(pool, query)
    assert pool.arguments[0] == [pattern]
    assert pool.arguments[1] == pattern.removeprefix("%")


@pytest.mark.parametrize("query", ["", "   ", "\u0301"])
async def test_blank_query_asks_nobody(query: str) -> None:
    pool = RecordingPool([ROW])
    assert await search_members(pool, query) == []
    assert pool.asked == []


async def test_limits_hold() -> None:
    pool = RecordingPool()
    await search_members(pool, "a" * 10 * QUERY_MAX, limit=10 * LIMIT_MAX, at_doors=[])
    assert pool.arguments == ([f"%{'a' * QUERY_MAX}%"], f"{'a' * QUERY_MAX}%", LIMIT_MAX, [])
    await search_members(pool, "a", at_doors={DoorId(UUID(int=9))})
    assert pool.arguments[3] == [UUID(int=9)]


async def test_members_by_id_are_those_whose_link_exists() -> None:
    assert set(await members(RecordingPool([ROW]), [MEMBER, MemberId(UUID(int=2))])) == {MEMBER}
    assert await member(RecordingPool(), MEMBER) is None


def test_personal_data_is_not_in_a_rows_text() -> None:
    text = repr(MemberRow(member_id=MEMBER, number="100", name="Aino", minor=False))
    assert "100" not in text
    assert "Aino" not in text
