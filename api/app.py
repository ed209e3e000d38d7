"""The application: routes under /v1, pages beside them, and the middleware around every answer."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.audit import disclosure
from api.audit import trail as audit_trail
from api.bookmarks import routes as bookmarks
from api.cameras import clip, days, inventory, thumbnail
from api.cases import routes as cases
from api.erasures import routes as erasures
from api.export import deciding
from api.export import routes as exports
from api.health import alarms, health, metrics, quarantine, retention
from api.http import problems
from api.http.middleware import Guard
from api.http.provide import provide
from api.live import routes as live
from api.live import walls
from api.members.app import Beside, build_members_app
from api.pages.install import install as install_pages
from api.recipients import routes as recipients
from api.register import rights_routes as register_rights
from api.register import routes as register
from api.requests import routes as requests
from api.rooms import Rooms
from api.search import event, examples, find, listing, timeline, today
from api.sign_in import purpose_routes
from api.sign_in import routes as sign_in
from api.staff import own as own_account
from api.staff import routes as staff

ROUTERS: Final = tuple(
    module.router
    for module in (
        sign_in,
        purpose_routes,
        find,
        examples,
        today,
        listing,
        event,
        inventory,
        timeline,
        days,
        clip,
        thumbnail,
        live,
        walls,
        exports,
        deciding,
        cases,
        bookmarks,
        erasures,
        audit_trail,
        disclosure,
        quarantine,
        retention,
        register_rights,
        register,
        requests,
        recipients,
        staff,
        own_account,
        health,
        alarms,
        metrics,
    )
)


def make_app() -> FastAPI:
    """Create the application; furnish() makes it answer. No documentation pages: they load scripts from elsewhere."""
    app = FastAPI(
        title="Tallenne",
        version="1",
        summary="Staff find the right clip; every look is on record.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    install_pages(app)
    return app


def furnish(app: FastAPI, rooms: Rooms) -> None:
    """Have the application answer from these open rooms, and from no others that it had before."""
    provide(app, *(getattr(rooms, field.name) for field in fields(rooms) if field.name != "members"))


def build_app(rooms: Rooms) -> FastAPI:
    """Create the application over open rooms."""
    app = make_app()
    furnish(app, rooms)
    return app


def build_asgi(rooms: Rooms, *, only_tls: bool = False, app: FastAPI | None = None) -> ASGIApp:
    """Return the applications of staff and members for a server, with the guard outermost.

    It covers answers to programming errors too.

    ``only_tls``: tell browsers to use TLS only (HSTS), which a self-signed certificate does not allow.
    ``app``: one over these rooms that was made before; it takes a quarter of a second.
    """
    both = Beside(app or build_app(rooms), build_members_app(rooms.members))
    return Guard(both, rooms.scrape.metrics, rooms.footage.priority, only_tls=only_tls)
