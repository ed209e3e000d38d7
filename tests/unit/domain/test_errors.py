"""An error reads as one sentence about the thing, and one about the remedy."""

from __future__ import annotations

import pytest

from domain.errors import MisuseError, PeerError, RetryableError, StorageError, TallenneError


@pytest.mark.parametrize(
    ("what", "remedy", "said"),
    [("It is away.", "Wait.", "It is away. Wait."), ("It is away.", "", "It is away."), ("", "", "")],
)
def test_error_says_what_is_wrong_and_what_to_do(what: str, remedy: str, said: str) -> None:
    error = RetryableError(what, remedy)
    assert (str(error), error.what, error.remedy) == (said, what, remedy)


def test_kinds_are_apart_and_share_one_base() -> None:
    kinds = (MisuseError, PeerError, RetryableError)
    assert all(issubclass(kind, TallenneError) for kind in (*kinds, StorageError))
    assert not any(issubclass(one, other) for one in kinds for other in kinds if one is not other)
