"""A role of the product as a benchmark's child: the very function that `tallenne` runs, in a process of its own.

Runs as a child of frame/process.py. Parameters: ``role`` and ``settings`` (the role's settings as JSON).
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass
from typing import Any

import uvloop
from pydantic import TypeAdapter

from benchmarks.frame.side import read_parameters, say, serve_parent


@dataclass(frozen=True, slots=True)
class _Role:
    module: str
    settings_module: str
    settings: str


ROLES = {
    "ingest": _Role("ingest.role", "ingest.settings", "IngestSettings"),
    "index": _Role("indexer.role", "indexer.settings", "IndexSettings"),
    "custodian": _Role("custodian.role", "runtime.settings", "CustodianSettings"),
    "serve": _Role("api.role", "api.settings", "ServeSettings"),
}


def settings_to_json(settings: Any) -> Any:
    """Of any role's settings; secrets included, since it goes down a pipe to the child."""
    return TypeAdapter(type(settings)).dump_python(settings, mode="json")


def main() -> None:
    """Until the parent says stop."""
    logging.basicConfig(level=logging.ERROR)
    given = read_parameters()
    role = ROLES[given["role"]]
    kind = getattr(importlib.import_module(role.settings_module), role.settings)
    settings = TypeAdapter(kind).validate_python(given["settings"])
    uvloop.run(_serve(importlib.import_module(role.module).run, settings))


async def _serve(run: Any, settings: Any) -> None:
    stop = asyncio.Event()
    work = asyncio.create_task(run(settings, stop))
    parent = asyncio.create_task(serve_parent(dict))
    say("ready", {})
    await asyncio.wait((work, parent), return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await work
    parent.cancel()


if __name__ == "__main__":
    main()
