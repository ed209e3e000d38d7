"""Samples of the footage that a restored database names: their keys and objects are those of now, so they must open.

Between the moment that was restored and the look footage goes on ending: an hour is over, an erasure is carried out.
Such a sample proves nothing: the database of now says which those are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import SegmentId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.recorders import Recorders, read_recorders
from storage.sealed import PayloadKey, object_name
from storage.store import ObjectStore
from upkeep.inspection.errors import BadObjectError
from upkeep.inspection.objects import inspect_object
from upkeep.inspection.restore import HeaderOpener

_PACKAGE: Final = "upkeep.inspection"


@dataclass(slots=True, kw_only=True)
class Samples:
    """What came of them. ``ended``: no longer live; neither samples nor faults."""

    samples: int = 0
    opened: int = 0
    ended: int = 0
    faults: list[str] = field(default_factory=list)


async def try_samples(
    restored: asyncpg.Connection, pool: asyncpg.Pool, store: ObjectStore, opener: HeaderOpener, count: int
) -> Samples:
    """Open ``count`` segments that are live in ``restored``, and read their objects whole.

    ``pool``: the database of now. Errors of database, store and opener.
    """
    with wrapped_errors():
        rows = await restored.fetch(sql.load(_PACKAGE, "samples"), count)
    keys = await opener.open_headers([row["header"] for row in rows]) if rows else {}
    recorders, found = await read_recorders(pool), dict[UUID, str]()
    for row in rows:
        if fault := await _fault(store, row, recorders, keys):
            found[row["segment_id"]] = fault
    ended = found.keys() - await _living(pool, list(found))
    faults = [f"{segment_id}: {fault}" for segment_id, fault in found.items() if segment_id not in ended]
    return Samples(samples=len(rows) - len(ended), opened=len(rows) - len(found), ended=len(ended), faults=faults)


async def _living(pool: asyncpg.Pool, segment_ids: Sequence[UUID]) -> set[UUID]:
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "still_live"), segment_ids)
    return {row["segment_id"] for row in rows}


async def _fault(
    store: ObjectStore, row: asyncpg.Record, recorders: Recorders, keys: Mapping[SegmentId, PayloadKey]
) -> str:
    key = keys.get(row["segment_id"])
    if key is None:
        return "its key does not open"
    name = object_name(
        site_id=row["site_id"],
        camera_id=row["camera_id"],
        segment_id=row["segment_id"],
        start_ns=row["start_ns"],
    )
    try:
        await inspect_object(store, name, row["size_bytes"], recorders, key)
    except BadObjectError as error:
        return f"{error.flaw} {error.detail}".strip()
    return ""
