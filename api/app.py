"""The application: routes under /v1, pages beside them, and what surrounds every answer."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.audit import disclosure
from api.audit import trail as audit_trail
from api.cameras import clip, inventory, thumbnail
from api.export import routes as exports
from api.health import health, metrics, quarantine
from api.http import problems
from api.http.middleware import Guard
from api.pages.install import install as install_pages
from api.search import event, find, search, timeline
from api.services import Services
from api.sign_in import purposes, sign_in
from api.staff import own as own_account
from api.staff import routes as staff

ROUTERS: Final = tuple(
    module.router
    for module in (
        sign_in,
        purposes,
        find,
        search,
        event,
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
    only_tls = services.settings.tls_certificate is not None
    return Guard(build_app(services), services.metrics, services.priority, only_tls=only_tls)
