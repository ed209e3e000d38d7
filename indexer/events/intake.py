"""The custodian's public intake key, to which quarantined payloads are sealed."""

from __future__ import annotations

from custodian.client import CustodianClient


class IntakeKey:
    """Asked for until it is known, then kept: from then on the custodian may be away."""

    def __init__(self, client: CustodianClient) -> None:
        self._client = client
        self.key: bytes | None = None

    async def fetch(self) -> None:
        """Ask once; CustodianAwayError and its kin."""
        self.key = (await self._client.identity()).intake
