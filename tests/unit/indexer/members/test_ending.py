"""Members whom a list lacks: when a person must confirm the number."""

from __future__ import annotations

import uuid

import pytest

from indexer.errors import IndexMisuseError
from indexer.members.ending import SHARE, Missing, MissingMember


def missing(count: int, present: int) -> Missing:
    one = MissingMember(member_id=uuid.uuid4(), number="1", name="SECRET")
    return Missing(members=(one,) * count, present=present)


@pytest.mark.parametrize(
    ("count", "present", "many"),
    [
        (0, 0, False),
        (0, 50, False),
        (1, 2, False),
        (1, 1, True),
        (2, 5, True),
        (5, 50, False),
        (6, 50, True),
        (50, 50, True),
    ],
)
def test_more_than_a_tenth_or_all_members_are_many(count: int, present: int, many: bool) -> None:
    assert SHARE == 10
    assert missing(count, present).is_many is many


def test_many_are_ended_only_when_their_very_number_is_confirmed() -> None:
    missing(5, 50).check(None)
    missing(6, 50).check(6)
    missing(5, 50).check(5)
    with pytest.raises(IndexMisuseError, match="--confirm 6"):
        missing(6, 50).check(None)
    for confirmed in (5, 7, 0):
        with pytest.raises(IndexMisuseError, match="lacks 6"):
            missing(6, 50).check(confirmed)


def test_names_stay_out_of_logs() -> None:
    assert "SECRET" not in repr(missing(1, 1))
