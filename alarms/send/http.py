"""The two HTTP requests of alarms: a signed webhook, and the dead-man's signal. TLS is verified, no redirect followed.

The webhook follows Standard Webhooks 1.0: ``webhook-id`` is the notice's id, the same at each attempt;
``webhook-signature`` is ``v1,`` and the base64 of HMAC-SHA256, under the secret, over
``<webhook-id>.<webhook-timestamp>.<body>``.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alarms.errors import ChannelAwayError, ChannelRefusedError
from alarms.settings import WebhookSettings
from alarms.state.notice import Notice
from alarms.state.wording import Writer, payload
from domain.text import printable

TOTAL_S: Final = 20.0
PREFIX: Final = "whsec_"
_LATER: Final = frozenset({408, 425, 429})


async def send_webhook(settings: WebhookSettings, notice: Notice, writer: Writer) -> None:
    """Return once the receiver has answered 2xx. ChannelAwayError, ChannelRefusedError."""
    body = json.dumps(payload(notice, writer), separators=(",", ":"), ensure_ascii=False).encode()
    headers = signed(settings.secret, notice.notice_id, int(time.time()), body)
    status = await request("POST", settings.url, tls_ca=settings.tls_ca, headers=headers, body=body)
    where = f"The webhook at {host_of(settings.url)}"
    if 300 <= status < 400:
        raise ChannelAwayError(f"{where} redirects ({status}), which is not followed.", "Configure the final address.")
    if 400 <= status < 500 and status not in _LATER:
        raise ChannelRefusedError(f"{where} refuses the message ({status}).", "Check its address and its secret.")
    if not 200 <= status < 300:
        raise ChannelAwayError(f"{where} answers {status}.", "Check it; Tallenne tries again.")


async def call_dead_man(url: str) -> None:
    """Report that all is well. ChannelAwayError: the URL did not answer 2xx."""
    status = await request("GET", url)
    if not 200 <= status < 300:
        raise ChannelAwayError(f"The dead-man's URL at {host_of(url)} answers {status}.", "Check it in [alarms].")


def signed(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of a webhook."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature}",
    }


def secret_bytes(text: str) -> bytes:
    """Of a configured secret: "whsec_" and base64 as the standard has it, or the text itself. ValueError."""
    if not text.startswith(PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"after {PREFIX} comes no base64") from None


def host_of(url: str) -> str:
    """For messages: a path or a query may hold a key."""
    return urlsplit(url).hostname or "?"


async def request(
    method: str, url: str, *, tls_ca: Path | None = None, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> int:
    """The answer's status; its body is not read. ChannelAwayError."""
    import httpx  # here, so that an installation without webhook does not load it

    context = ssl.create_default_context(cafile=None if tls_ca is None else str(tls_ca))
    try:
        async with (
            asyncio.timeout(TOTAL_S),
            httpx.AsyncClient(verify=context, follow_redirects=False, trust_env=False, timeout=TOTAL_S) as client,
            client.stream(method, url, headers=dict(headers or {}), content=body or None) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as exc:
        said = printable(str(exc))[:200] or type(exc).__name__
        raise ChannelAwayError(
            f"{host_of(url)} cannot be reached ({said}).", "Check the address; Tallenne tries again."
        ) from exc
