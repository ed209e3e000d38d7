"""The indexer as a process, to be killed: ``python -m tests.support.processes.index_process < settings.pickle``.

With TALLENNE_PLANT=early-acknowledgement it acknowledges before it commits: the fault that a test must find.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any

from indexer import role
from indexer.events.receive import Batch, Receiver
from indexer.mqtt.driver import ManualClient, Received


def plant_early_acknowledgement() -> None:
    rightly = Receiver.commit
    acknowledge = ManualClient.acknowledge

    async def commit(self: Receiver, pool: Any, batch: Batch, intake_key: bytes | None) -> list[Received]:
        for message in batch.messages:
            if message.client.alive:
                acknowledge(message.client, [message])
        return await rightly(self, pool, batch, intake_key)

    def nothing(self: ManualClient, messages: Sequence[Received]) -> None:
        """It is done already."""

    Receiver.commit = commit  # type: ignore[method-assign]
    ManualClient.acknowledge = nothing  # type: ignore[method-assign]


if __name__ == "__main__":
    if os.environ.get("TALLENNE_PLANT") == "early-acknowledgement":
        plant_early_acknowledgement()
    asyncio.run(role.run(pickle.load(sys.stdin.buffer), asyncio.Event()))  # noqa: S301 our own test wrote it
