"""The child's side of frame/process.py: read the parameters, print "ready", report on request, stop on request."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any


def read_parameters() -> dict[str, Any]:
    """The one JSON line that the parent sends first."""
    said: dict[str, Any] = json.loads(sys.stdin.readline())
    return said


def say(key: str, value: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps({key: value}) + "\n")
    sys.stdout.flush()


async def serve_parent(report: Callable[[], Any] | Callable[[], Awaitable[Any]]) -> None:
    """Answer ``report`` until ``stop`` comes, or the parent has gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        word = line.strip()
        if word == b"stop":
            return
        if word == b"report":
            counted = report()
            say("report", await counted if isinstance(counted, Awaitable) else counted)
