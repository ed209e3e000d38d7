"""Passwords that everybody tries first are refused, others are not."""

from __future__ import annotations

import pytest

from api.credentials.common_passwords import is_common

COMMON = (
    *("password", "Password1!", "passw0rd", "P@ssw0rd2026", "12345678", "123456789", "1234567890", "qwertyuiop"),
    *(
        "iloveyou",
        "sunshine1",
        "princess",
        "football",
        "welcome1",
        "Welcome2026!",
        "adminadmin",
        "letmein!",
        "trustno1",
    ),
    *(
        "superman",
        "1q2w3e4r",
        "1qaz2wsx",
        "zaq12wsx",
        "abcd1234",
        "asdfghjkl",
        "changeme",
        "administrator",
        "qwerty123",
    ),
    *(
        "salasana",
        "salasana123",
        "perkele1",
        "Kesä2026!",
        "kuntosali1",
        "tallenne",
        "gymstaff1",
        "aaaabbbb",
        "87654321",
    ),
    *("admin123", "summer2026", "11111111", "monkeydragon", "trustno1", "administrator", "gymstaff1"),
)
OTHERS = (
    *("hunting the fault 77", "correct horse battery staple", "Tr0ub4dor&3x", "kivi-sade-lumi", "vihreä omena 7"),
    *("x7kq-22pm-9dfa", "my dog eats socks", "zebra piano lamp", "Åland ferry at six"),
)


@pytest.mark.parametrize("password", COMMON)
def test_common_password_is_found(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", OTHERS)
def test_other_passwords_are_taken(password: str) -> None:
    assert not is_common(password)
