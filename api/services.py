"""What the routes share, made once by the role (or a test) and handed to them through ``request.app.state``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from api.credentials.passwords import Passwords
from api.credentials.secret_key import SecretKey
from api.credentials.throttle import Throttle
from api.footage import Inits
from api.footage.cache import ClipCache
from api.footage.thumbnail.pictures import Pictures
from api.http.jobs import Jobs
from api.http.priority import Priority
from api.metrics.counters import Metrics
from api.settings import ServeSettings
from custodian.client import CustodianClient
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Nothing here is opened or closed by the routes."""

    settings: ServeSettings
    pool: asyncpg.Pool
    store: ObjectStore
    custodian: CustodianClient
    key: SecretKey
    passwords: Passwords
    throttle: Throttle
    cache: ClipCache
    inits: Inits
    jobs: Jobs
    pictures: Pictures
    metrics: Metrics
    priority: Priority
    clock_ns: Callable[[], int]


async def services(request: Request) -> Services:
    """The dependency behind ``Ours``. Not blocking, and so not sent to a thread."""
    found: Services = request.app.state.services
    return found


Ours = Annotated[Services, Depends(services)]


def make_services(
    settings: ServeSettings,
    *,
    pool: asyncpg.Pool,
    store: ObjectStore,
    key: SecretKey,
    passwords: Passwords | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
) -> Services:
    """The parts that need no closing, around those that do."""
    return Services(
        settings=settings,
        pool=pool,
        store=store,
        custodian=CustodianClient(settings.custodian_socket),
        key=key,
        passwords=passwords or Passwords(),
        throttle=Throttle(pool),
        cache=ClipCache(clock_ns),
        inits=Inits(),
        jobs=Jobs(),
        pictures=Pictures(),
        metrics=Metrics(settings.run_directory),
        priority=Priority(),
        clock_ns=clock_ns,
    )
