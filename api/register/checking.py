"""Values for the register as they are typed, checked before anything of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from api.http.problems import Problem
from domain.time import day_name
from storage.register import Field, FieldError, checked


def checked_values(fields: Mapping[Field, str], now_ns: int) -> dict[Field, str]:
    """Return the values as they are stored. Problem 422 names the first field that cannot have its value."""
    today = date.fromisoformat(day_name(now_ns))
    try:
        return {each: checked(each, text, today) for each, text in fields.items()}
    except FieldError as exc:
        raise Problem(422, f"field-{exc.field}", exc.what, exc.remedy) from None
