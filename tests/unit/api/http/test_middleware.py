"""Which Origin may change something."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from api.http.middleware import _refusal


@pytest.mark.parametrize("origin", ["https://other", "https://gym:1", "null", "https://[bad", "gym", ""])
def test_a_request_from_elsewhere_is_refused(origin: str) -> None:
    refused = _refusal("POST", Headers({"host": "gym", "origin": origin}))
    assert refused is not None
    assert refused.status == 403


@pytest.mark.parametrize("headers", [{"origin": "https://gym"}, {}])
def test_our_own_pages_are_served(headers: dict[str, str]) -> None:
    assert _refusal("POST", Headers({"host": "gym"} | headers)) is None
