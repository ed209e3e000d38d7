"""The indexer as a process of its own, to be killed: ``python -m tests.support.index_process < settings.pickle``."""

from __future__ import annotations

import asyncio
import pickle
import sys

from indexer import role

if __name__ == "__main__":
    asyncio.run(role.run(pickle.load(sys.stdin.buffer), asyncio.Event()))  # noqa: S301 our own test wrote it
