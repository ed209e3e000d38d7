"""The custodian's public intake key, to which quarantined payloads are sealed."""

from __future__ import annotations

from custodian.client import CustodianClient


class IntakeKey:
    """The key, fetched once and then kept, so that the custodian may be away."""

    def __init__(self, client: CustodianClient) -> None:
        self._client = client
        self.key: bytes | None = None

    async def fetch(self) -> None:
        """Fetch the key. CustodianAwayError, CustodianMisuseError."""
        self.key = (await self._client.identity()).intake
