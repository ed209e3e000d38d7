"""Which Origin may change something."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from api.http.middleware import BY_PROXY, _refusal

SCOPE = {"scheme": "https"}


@pytest.mark.parametrize("origin", ["https://other", "https://gym:1", "null", "https://[bad", "gym", ""])
def test_a_request_from_elsewhere_is_refused(origin: str) -> None:
    refused = _refusal("POST", Headers({"host": "gym", "origin": origin}), SCOPE)
    assert refused is not None
    assert refused.status == 403


@pytest.mark.parametrize("headers", [{"origin": "https://gym"}, {}])
def test_our_own_pages_are_served(headers: dict[str, str]) -> None:
    assert _refusal("POST", Headers({"host": "gym"} | headers), SCOPE) is None


def test_a_trusted_proxy_says_which_host_was_asked_for() -> None:
    sent = Headers({"host": "127.0.0.1:8443", "origin": "https://gym.example", "x-forwarded-host": "gym.example"})
    assert _refusal("POST", sent, SCOPE | {BY_PROXY: True}) is None
    refused = _refusal("POST", sent, SCOPE)
    assert refused is not None and "X-Forwarded-Host" in refused.remedy
