"""Stores the health of cameras, as ingest reports it, for the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from domain.ids import CameraId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.catalogue"


async def save_health(pool: asyncpg.Pool, reports: Mapping[CameraId, Mapping[str, Any]], now_ns: int) -> None:
    """Replace the health of these cameras; cameras that the inventory does not know are ignored.

    ``reports``: JSON objects. Raises the database errors of runtime/errors.py.
    """
    ids = list(reports)
    with wrapped_errors():
        await pool.execute(
            sql.load(_PACKAGE, "camera_health_save"),
            ids,
            [json.dumps(reports[item]) for item in ids],
            now_ns,
        )
