"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.counter import counter
from tests.browser.demo_desk import Desk, demo_desk
from tests.browser.steps import REASON

__all__ = ["counter", "desk"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk() -> AsyncIterator[Desk]:
    async with demo_desk() as made:
        page = await made.page()
        await made.sign_in(page)
        await made.state_purpose(page, REASON)
        await page.context.close()
        yield made
        assert made.complaints == []
