"""Counters of this role and the cameras' health for Prometheus, behind a token of their own."""

from __future__ import annotations

import asyncio
import contextlib
import hmac

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.health.scrape import ScrapeDep
from api.http.problems import Problem, declared, not_found
from api.metrics.cameras import camera_registry
from api.records import RecordsDep, StatusesDep
from domain.errors import StorageError

router = APIRouter(tags=["health"])


@router.get("/metrics", include_in_schema=False, responses=declared(401, 404))
async def metrics(request: Request, records: RecordsDep, here: StatusesDep, scrape: ScrapeDep) -> Response:
    """404 unless a token is configured."""
    token = scrape.token
    if not token:
        raise not_found()
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        raise Problem(401, "token", "The token is wrong.", "Send it as `Authorization: Bearer ...`.")
    # In a thread: it reads the roles' status files.
    body = await asyncio.to_thread(generate_latest, scrape.metrics.registry)
    with contextlib.suppress(StorageError):  # the database is away: this role's own counters are served all the same
        body += generate_latest(await camera_registry(records.pool, await here.now(), records.clock_ns()))
    return Response(body, media_type=CONTENT_TYPE_LATEST)
