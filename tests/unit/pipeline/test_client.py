"""What the API's first client tells of a refusal."""

from __future__ import annotations

import httpx
import pytest

from pipeline.client import ApiAwayError, ApiBrokenError, ApiRefusedError, StaffClient

PROBLEM = {"type": "urn:tallenne:invalid", "title": "Some fields are not as they should be.", "remedy": "Correct them."}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            422,
            {**PROBLEM, "fields": {"start": "a time between 1970 and 2200"}},
            ApiRefusedError,
            "start: a time between",
        ),
        (404, PROBLEM, ApiRefusedError, "Some fields"),
        (503, PROBLEM, ApiAwayError, "Some fields"),
        (422, {**PROBLEM, "fields": ["odd"]}, ApiBrokenError, "answered 422"),
        (500, None, ApiBrokenError, "answered 500"),
        (500, "text", ApiBrokenError, "answered 500"),
    ],
)
async def test_a_refusal_names_the_fields_and_the_remedy(
    status: int, body: object, kind: type[Exception], words: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    async with httpx.AsyncClient(base_url="https://tallenne.test", transport=transport) as http:
        with pytest.raises(kind, match=words):
            await StaffClient(http).get("/v1/cameras")
