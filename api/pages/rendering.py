"""Templates, always escaped, with the dictionary of the person's language."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.pages.language import LANGUAGES, dictionary, language_of

DIRECTORY: Final = Path(str(files("api.pages")))
_environment: Final = Environment(
    loader=FileSystemLoader(DIRECTORY / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, *, default_language: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a page. The frame shows ``session`` and ``purpose`` of ``context``, if they are set."""
    language = language_of(request, default_language)
    words = dictionary(language)
    values: dict[str, Any] = {
        "session": None,
        "purpose": None,
        "zone": "",
        "may": frozenset(),
        "nav": (),
        "here": "",
        **context,
    }
    text = _environment.get_template(template).render(
        t=lambda key: words.get(key, key),
        language=language,
        languages=[(code, name, _switch(request, code)) for code, name in LANGUAGES.items()],
        **values,
    )
    return HTMLResponse(text, status_code=status, headers={"Vary": "Accept-Language, Cookie"})


def _switch(request: Request, code: str) -> str:
    """Return the address of this page in another language."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{request.url.path}?{urlencode([*query, ('lang', code)])}"
