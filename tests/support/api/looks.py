"""Spans, purposes and audit entries for tests of looks."""

from __future__ import annotations

from api.credentials.accounts import NewGrant
from domain.time import HOUR_NS, to_iso
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import (
    Gym,
)


def span(gym: Gym, *, hours: int = 2) -> dict[str, str]:
    return {"start": to_iso(gym.now_ns - hours * HOUR_NS), "end": to_iso(gym.now_ns)}


async def looking(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*grants)
    await client.state_purpose()
    return client
