"""A refusal tells nothing: one text, no detail."""

from __future__ import annotations

import pytest

from domain.errors import PeerError, StorageError
from storage.sealed.errors import RefusedError


def test_refusal_has_one_text_and_takes_no_detail() -> None:
    error = RefusedError()
    assert isinstance(error, StorageError) and isinstance(error, PeerError)
    assert str(error) == str(RefusedError()) == "The sealed segment is refused."
    with pytest.raises(TypeError):
        RefusedError("chunk 3")  # type: ignore[call-arg]
