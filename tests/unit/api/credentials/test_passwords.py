"""Passwords of any kind that JSON can say."""

from __future__ import annotations

import pytest

from api.credentials.passwords import Passwords, check_new
from api.errors import StaffRefusedError


@pytest.mark.parametrize("password", ["\ud800", "correct horse battery", "pässwörd ẞ", "\x00"])
async def test_any_text_is_right_or_wrong_and_never_a_mistake_of_ours(password: str) -> None:
    passwords = Passwords()
    stored = await passwords.hash(password)
    assert await passwords.matches(password, stored)
    assert not await passwords.matches(password + "x", stored)
    assert not await passwords.matches(password, None)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "mary.jones!", "x" * 300])
def test_new_password_too_easy_refused(password: str) -> None:
    with pytest.raises(StaffRefusedError):
        check_new(password, "mary.jones")
