"""The language of a page: what was chosen, else what the browser prefers, else as configured."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from api.pages.language import COOKIE, dictionary, language_of, preferred


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        ("fi", "fi"),
        ("fi-FI,fi;q=0.9,en;q=0.8", "fi"),
        ("en;q=0.3, fi;q=0.4", "fi"),
        ("sv, en;q=0.5, fi;q=0.5", "en"),  # the first of equals
        ("FI", "fi"),
        ("fi;q=0, en;q=0.1", "en"),
        ("fi;q=x", None),
        ("sv, de;q=0.5", None),
        ("*", None),
        ("", None),
        (",;,;q=", None),
        ("en ; q = 0.5", "en"),
    ],
)
def test_browser_s_preference_is_read(accept: str, best: str | None) -> None:
    assert preferred(accept) == best


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [("fi", "en", "fi"), ("xx", "fi", "fi"), ("", "de", "en"), ("", "", "en")],
)
def test_choice_goes_before_the_browser_before_the_configuration(cookie: str, accept: str, language: str) -> None:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode()), (b"accept-language", accept.encode())]
    assert language_of(Request({"type": "http", "headers": headers}), "en") == language


def test_dictionaries_name_the_same_things() -> None:
    assert set(dictionary("fi")) == set(dictionary("en"))
