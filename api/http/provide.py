"""Hand the routes what they need: one dependency per type, found in the application by that type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from fastapi import FastAPI, Request

T = TypeVar("T")


def provide(app: FastAPI, *things: object) -> None:
    """Make each thing available to the routes of ``app`` under its own type."""
    app.state.provided = {type(thing): thing for thing in things}


def provided(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Return the FastAPI dependency that yields the application's ``kind``. KeyError when none was provided."""

    async def find(request: Request) -> T:
        # A coroutine function: FastAPI would run a plain one in a worker thread.
        return cast("T", request.app.state.provided[kind])

    return find
