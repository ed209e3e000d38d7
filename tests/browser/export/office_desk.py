"""Browsers before an API with real footage behind a real custodian, in one process, and without a recorder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from api.http.certificates import certificate_for
from api.http.server import listen, serving
from tests.browser.chromium import chromium
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office, app, office
from tests.integration.api.footage import Footage
from tests.integration.api.test_exports import footage, gym
from tests.integration.api.test_role import settings_for

__all__ = ["app", "footage", "gym", "office", "office_desk"]


@dataclass(kw_only=True)
class OfficeDesk:
    """The API's address, and pages of persons who have signed in by their client."""

    office: Office
    address: str
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    async def page(self, client: Client, language: str = "en-GB", **more: Any) -> Page:
        """A page in a browser of its own, with the client's session."""
        context = await self.browser.new_context(ignore_https_errors=True, locale=language, **more)
        ((name, value),) = client.cookies.items()
        await context.add_cookies([{"name": name, "value": value, "url": self.address, "secure": True}])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.text))
        return page

    def _heard(self, text: str) -> None:
        if "Content Security" in text:
            self.complaints.append(text)


@pytest.fixture
async def office_desk(
    office: Office, footage: Footage, database: Database, tmp_path: Path
) -> AsyncIterator[OfficeDesk]:
    """Served over TLS on loopback, with the footage in it."""
    settings = settings_for(database.serve, tmp_path)
    sock, certificate = listen(settings), certificate_for(settings)
    async with serving(office.asgi(), settings, certificate, sock), chromium() as browser:
        desk = OfficeDesk(office=office, address=f"https://127.0.0.1:{sock.getsockname()[1]}", browser=browser)
        yield desk
        assert desk.complaints == []
