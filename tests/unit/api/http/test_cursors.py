"""The cursor parameter: absent, as it was given, or refused with what to do."""

from __future__ import annotations

import uuid

import pytest

from api.http.cursors import cursor_of
from api.http.problems import Problem
from storage.access import Cursor


def test_cursor_is_optional_and_comes_back_as_it_was_given() -> None:
    cursor = Cursor(time_ns=5, row_id=uuid.uuid4())
    assert cursor_of(None) is None
    assert cursor_of(cursor.pack()) == cursor


@pytest.mark.parametrize("text", ["", "x", "AAAA"])
def test_other_text_is_a_problem_of_the_client(text: str) -> None:
    with pytest.raises(Problem) as caught:
        cursor_of(text)
    assert caught.value.status == 422
