"""The custodian's public intake key, to which quarantined payloads are sealed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from custodian.client import CustodianClient
from domain.errors import TallenneError
from runtime.errors import StorageError

RETRY_S: Final = 1.0


class IntakeKey:
    """Asked for until it is known, then kept: from then on the custodian may be away."""

    def __init__(self, client: CustodianClient) -> None:
        self._client = client
        self.key: bytes | None = None

    async def fetch(self, stop: asyncio.Event, trouble: Callable[[TallenneError | None], None]) -> None:
        """Return once the key is known, or at ``stop``."""
        while not stop.is_set():
            try:
                self.key = (await self._client.identity()).intake
            except StorageError as error:
                trouble(error)
            else:
                trouble(None)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_S)
