"""Pages and static files added to the application, and problems shown to people as pages."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.http.problems import Problem
from api.pages import privacy, routes
from api.pages.rendering import DIRECTORY
from api.pages.settings import Pages


class _Static(StaticFiles):
    """Cached by the browser and revalidated at each use, so that an upgrade shows at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file; browsers revalidate it at each use."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def install(app: FastAPI) -> None:
    """Add the pages; call it after the routes under /v1 were added."""
    app.include_router(routes.router)
    app.include_router(privacy.router)
    app.mount("/static", _Static(directory=DIRECTORY / "static"), name="static")
    app.state.problem_page = _problem_page


def _problem_page(request: Request, problem: Problem, **_: Any) -> Response | None:
    """Return the problem as a page; None: the client is a program."""
    path = request.url.path
    if path.startswith(("/v1", "/metrics", "/static")) or "text/html" not in request.headers.get("accept", ""):
        return None
    return routes.error_page(request, request.app.state.provided[Pages], problem)
