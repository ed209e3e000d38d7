"""One row: what the database answers, and its own error for a segment that is known with other contents."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from storage.catalogue.commit import Commit, commit_row
from storage.catalogue.errors import SegmentConflictError
from tests.unit.storage.catalogue.test_catalogue import SEGMENT


class Connection:
    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.arguments: tuple[Any, ...] = ()

    async def fetchval(self, _: str, *arguments: Any) -> str:
        self.arguments = arguments
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def error(sqlstate: str) -> asyncpg.PostgresError:
    made = asyncpg.PostgresError("a value of the row")
    made.sqlstate = sqlstate
    return made


@pytest.mark.parametrize("outcome", list(Commit))
async def test_outcome_is_what_the_function_answers(outcome: Commit) -> None:
    conn = Connection(outcome.value)
    assert await commit_row(cast("Any", conn), SEGMENT, 99) is outcome
    assert len(conn.arguments) == 25 and 99 in conn.arguments


async def test_segment_known_with_other_contents_is_a_conflict_and_any_other_error_passes() -> None:
    with pytest.raises(SegmentConflictError) as caught:
        await commit_row(cast("Any", Connection(error("TN001"))), SEGMENT, 99)
    assert "a value of the row" not in str(caught.value)
    with pytest.raises(asyncpg.PostgresError):
        await commit_row(cast("Any", Connection(error("40001"))), SEGMENT, 99)
    with pytest.raises(ValueError, match="unheard"):
        await commit_row(cast("Any", Connection("unheard")), SEGMENT, 99)
