"""The token that a request which changes something carries: derived from its session's cookie, and stored nowhere."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from fastapi import Request

from api.http.problems import Problem

HEADER: Final = "X-CSRF-Token"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


def token_of(cookie: str, label: bytes) -> str:
    """Return the token of a cookie. ``label`` sets the sessions of staff and of members apart."""
    return hmac.digest(cookie.encode("utf-8", "replace"), label, hashlib.sha256).hex()


def require_token(request: Request, token: str) -> None:
    """Problem 403 where the method changes something and the header does not carry this session's token."""
    if request.method in _SAFE:
        return
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode("latin-1", "replace"), token.encode()):
        raise Problem(
            403, "csrf", "The request does not carry this session's token.", f"Send it as the header {HEADER}."
        )
