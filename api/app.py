"""The application: routes under /v1, pages beside them, and what surrounds every answer."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import (
    audit_trail,
    clip,
    disclosure,
    find,
    health,
    inventory,
    metrics,
    problems,
    purposes,
    quarantine,
    search,
    sign_in,
    timeline,
    visit,
)
from api.export import routes as exports
from api.middleware import Guard
from api.pages.install import install as install_pages
from api.services import Services
from api.staff import own as own_account
from api.staff import routes as staff
from api.thumbnail import routes as thumbnail

ROUTERS: Final = tuple(
    module.router
    for module in (
        sign_in,
        purposes,
        find,
        search,
        visit,
        inventory,
        timeline,
        clip,
        thumbnail,
        exports,
        audit_trail,
        disclosure,
        quarantine,
        staff,
        own_account,
        health,
        metrics,
    )
)


def build_app(services: Services) -> FastAPI:
    """One application over services that are open already. No document pages: they load scripts from elsewhere."""
    app = FastAPI(
        title="Tallenne",
        version="1",
        summary="Staff find the right clip; every look is on record.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    install_pages(app)
    return app


def build_asgi(services: Services) -> ASGIApp:
    """What a server runs: the guard lies outside of everything, the answers to our own mistakes included."""
    return Guard(build_app(services), services)
