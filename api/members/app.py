"""The members' application: its own list of routes, beside that of staff, which it does not know."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http import problems
from api.http.provide import provide
from api.members import entry_routes, own_routes, pages, request_routes, seen_routes
from api.members.room import Members

ROUTERS: Final = (entry_routes.router, own_routes.router, seen_routes.router, request_routes.router)
_ROOTS: Final = ("/me", "/v1/me")


def build_members_app(room: Members) -> FastAPI:
    """Create the application over an open room. Without settings it answers 404 to everything."""
    app = FastAPI(
        title="Tallenne: members",
        version="1",
        summary="Members see and correct what is stored about them.",
        openapi_url=None if room.settings is None else "/v1/me/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    provide(app, room)
    problems.install(app)
    if room.settings is not None:
        for router in ROUTERS:
            app.include_router(router)
    pages.install(app, room)
    return app


class Beside:
    """Plain ASGI: requests below /me and /v1/me go to the members' application, all others to that of staff."""

    def __init__(self, staff: ASGIApp, members: ASGIApp) -> None:
        self._staff, self._members = staff, members

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        theirs = any(path == root or path.startswith(f"{root}/") for root in _ROOTS)
        await (self._members if theirs else self._staff)(scope, receive, send)
