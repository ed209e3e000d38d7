"""Chooses Finnish or English: by the person, else by the browser, else by the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

COOKIE: Final = "tallenne-language"
LANGUAGES: Final = {"fi": "Suomi", "en": "English"}
_YEAR_S: Final = 365 * 24 * 3600


def language_of(request: Request, default: str) -> str:
    """One of LANGUAGES."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return preferred(request.headers.get("accept-language", "")[:200]) or default


def chosen_language(request: Request) -> Response | None:
    """``?lang=`` is remembered and taken out of the address."""
    chosen = request.query_params.get("lang")
    if chosen not in LANGUAGES:
        return None
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    answer = RedirectResponse(request.url.path + (f"?{urlencode(query)}" if query else ""), status_code=303)
    answer.set_cookie(COOKIE, chosen, max_age=_YEAR_S, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def preferred(accept: str) -> str | None:
    """The best of ours in an Accept-Language header (RFC 9110, 12.5.4); None when it names none."""
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if primary in LANGUAGES and weight > 0 and (best is None or weight > best[0]):
            best = (weight, primary)
    return best[1] if best else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


@cache
def dictionary(language: str) -> Mapping[str, str]:
    """Return the texts by key; the scripts read the same file."""
    text = files("api.pages").joinpath("static", "i18n", f"{language}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded
