"""Counters for Prometheus, behind a token of their own."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.problems import Problem, declared, not_found
from api.services import Ours

router = APIRouter(tags=["health"])


@router.get("/metrics", include_in_schema=False, responses=declared(401, 404))
async def metrics(request: Request, services: Ours) -> Response:
    """404 unless a token is configured."""
    token = services.settings.metrics_token
    if not token:
        raise not_found()
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        raise Problem(401, "token", "The token is not right.", "Send it as `Authorization: Bearer ...`.")
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)
