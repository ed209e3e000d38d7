"""The token against requests that another site makes."""

from __future__ import annotations

import pytest
from fastapi import Request

from api.credentials.csrf import require_token, token_of
from api.http.problems import Problem


def request(method: str, token: str | None) -> Request:
    headers = [] if token is None else [(b"x-csrf-token", token.encode("latin-1"))]
    return Request({"type": "http", "method": method, "headers": headers})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_token(method: str) -> None:
    require_token(request(method, None), token_of("cookie", b"staff"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_change_needs_the_token_of_this_cookie_and_kind_of_session(method: str) -> None:
    right = token_of("cookie", b"staff")
    require_token(request(method, right), right)
    others = (None, "", "\xff", right + " ", token_of("another", b"staff"), token_of("cookie", b"member"))
    for other in others:
        with pytest.raises(Problem) as refused:
            require_token(request(method, other), right)
        assert refused.value.status == 403
