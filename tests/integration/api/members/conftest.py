"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.api.conftest import Office
from tests.integration.api.members.club import Club, club_of


@pytest.fixture
async def club(office: Office, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Club]:
    monkeypatch.setattr("api.members.post.AFTER_S", 0.01)
    async with club_of(office) as made:
        yield made
