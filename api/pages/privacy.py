"""The privacy notice as it was published, for everyone: the sign at the door points here. No sign-in, no cookie."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.http.problems import Problem
from api.pages.language import LANGUAGES, language_of
from api.pages.settings import PagesDep
from paper.rendering.html import NOTICE_PATH, NOTICE_STYLE, notice_file, style

_log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
_HEADERS: Final = {"Cache-Control": "no-cache"}


@router.get(NOTICE_PATH)
def privacy(request: Request, pages: PagesDep) -> Response:
    """In the language that ``?lang=`` or the browser asks for. 404: nothing was published."""
    chosen = request.query_params.get("lang", "")
    language = chosen if chosen in LANGUAGES else language_of(request, pages.default_language)
    folder = pages.papers_directory
    try:
        text = "" if folder is None else (folder / notice_file(language)).read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as exc:
        _log.warning("the published notice cannot be read: %s", exc)
        text = ""
    if not text:
        raise Problem(404, "no-notice", "No privacy notice was published.", "Ask the controller for it.")
    return Response(text, media_type="text/html; charset=utf-8", headers=_HEADERS)


@router.get(NOTICE_STYLE)
def privacy_style() -> Response:
    """Return its style sheet."""
    return Response(style(), media_type="text/css; charset=utf-8", headers=_HEADERS)
