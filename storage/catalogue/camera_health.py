"""The cameras' health as ingest reports it, for the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import asyncpg

from domain.ids import CameraId
from runtime import sql
from runtime.database import wrapped_errors


async def save_health(pool: asyncpg.Pool, reports: Mapping[CameraId, Mapping[str, Any]], now_ns: int) -> None:
    """Replace the rows of these cameras; unknown ones are left out. Raises the database errors of runtime.errors."""
    ids = list(reports)
    with wrapped_errors():
        await pool.execute(
            sql.load("storage.catalogue", "camera_health_save"),
            ids,
            [json.dumps(reports[item]) for item in ids],
            now_ns,
        )
