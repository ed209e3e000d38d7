"""One row: what the database answers, and its own error for a segment that is known with other contents."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from domain.errors import RetryableError
from domain.footage import SegmentState
from storage.catalogue.commit import Commit, commit_row, settle_row
from storage.catalogue.errors import ContestedIdError, LeaseNotHeldError, SegmentConflictError
from tests.unit.storage.catalogue.test_catalogue import SEGMENT


class Connection:
    def __init__(self, answer: str | Exception | None) -> None:
        self.answer = answer
        self.arguments: tuple[Any, ...] = ()

    async def fetchval(self, _: str, *arguments: Any) -> str | None:
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
    assert await commit_row(cast("Any", conn), SEGMENT) is outcome
    assert len(conn.arguments) == 24 and SEGMENT.sha256 in conn.arguments


@pytest.mark.parametrize(
    ("sqlstate", "kind"), [("TN001", SegmentConflictError), ("TN002", LeaseNotHeldError), ("TN003", ContestedIdError)]
)
async def test_our_own_errors_say_nothing_of_the_row(sqlstate: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        await commit_row(cast("Any", Connection(error(sqlstate))), SEGMENT)
    assert "a value of the row" not in str(caught.value)
    assert issubclass(kind, RetryableError) == (sqlstate == "TN003")  # the others do not pass by waiting


@pytest.mark.parametrize("state", [None, *SegmentState])
async def test_settled_row_has_the_state_that_the_function_answers(state: SegmentState | None) -> None:
    conn = Connection(None if state is None else state.value)
    assert await settle_row(cast("Any", conn), SEGMENT.segment_id, "a flaw", "v1/x") is state
    assert conn.arguments == (SEGMENT.segment_id, "a flaw", "v1/x")


async def test_any_other_error_passes() -> None:
    with pytest.raises(asyncpg.PostgresError):
        await commit_row(cast("Any", Connection(error("40001"))), SEGMENT)
    with pytest.raises(ValueError, match="unheard"):
        await commit_row(cast("Any", Connection("unheard")), SEGMENT)
