"""The cursor parameter of pages."""

from __future__ import annotations

from api.http.problems import Problem
from storage.access import Cursor


def cursor_of(text: str | None) -> Cursor | None:
    """Return the cursor that a client passes on from `next`, or None without one. Problem 422: not a cursor."""
    if text is None:
        return None
    try:
        return Cursor.unpack(text)
    except ValueError:
        raise Problem(422, "cursor", "The cursor is not one of ours.", "Pass on `next` of the page before.") from None
