"""Webhooks: the signature as an independent computation has it, TLS verified, no redirect followed."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alarms.conditions import Kind
from alarms.errors import ChannelAwayError, ChannelRefusedError
from alarms.send.http import call_dead_man, secret_bytes, send_webhook
from alarms.settings import WebhookSettings
from alarms.state.notice import Change, Line, Notice
from alarms.state.wording import Writer
from domain.time import NS
from pipeline.embedded.certificates import make_mutual

NOW_NS = 1_800_000_000 * NS
WRITER = Writer(installation="Gym", zone=ZoneInfo("Europe/Helsinki"))
LINE = Line(kind=Kind.CAMERA, subject="7", what="Camera Hall gives no pictures.", remedy="Look.", since_ns=NOW_NS)
NOTICE = Notice(notice_id="abc.1", change=Change.RAISED, incident="abc", at_ns=NOW_NS, since_ns=NOW_NS, lines=(LINE,))


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered."""

    url: str = ""
    status: int = 204
    location: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def receiving(certificates: Path | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((self.path, headers, body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificates is not None:
        _, certificate, key = make_mutual(certificates, "hook")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    receiver.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/alarms?key=k"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_signature_is_that_of_standard_webhooks() -> None:
    key = bytes(range(32))
    secret = secret_bytes("whsec_" + base64.b64encode(key).decode())
    with receiving() as receiver:
        await send_webhook(WebhookSettings(url=receiver.url, secret=secret), NOTICE, WRITER)
    ((path, headers, body),) = receiver.requests
    content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert (path, headers["webhook-id"], headers["webhook-signature"]) == ("/alarms?key=k", "abc.1", f"v1,{expected}")
    assert hmac.new(b"another" + key, content, hashlib.sha256).digest() != base64.b64decode(expected)
    told = json.loads(body)
    assert told["type"] == "alarm.raised"
    assert told["data"]["conditions"][0]["what"] == "Camera Hall gives no pictures."


async def test_tls_is_verified(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        trusting = WebhookSettings(url=receiver.url, secret=b"x", tls_ca=tmp_path / "hook-ca.pem")
        await send_webhook(trusting, NOTICE, WRITER)
        with pytest.raises(ChannelAwayError, match="certificate"):
            await send_webhook(WebhookSettings(url=receiver.url, secret=b"x"), NOTICE, WRITER)
    assert len(receiver.requests) == 1


async def test_redirect_is_not_followed() -> None:
    with receiving() as receiver, receiving() as elsewhere:
        receiver.status, receiver.location = 307, elsewhere.url
        with pytest.raises(ChannelAwayError, match="redirects"):
            await send_webhook(WebhookSettings(url=receiver.url, secret=b"x"), NOTICE, WRITER)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, ChannelRefusedError), (429, ChannelAwayError), (503, ChannelAwayError)]
)
async def test_answers_tell_later_from_never(status: int, error: type[Exception]) -> None:
    with receiving() as receiver:
        receiver.status = status
        with pytest.raises(error) as caught:
            await send_webhook(WebhookSettings(url=receiver.url, secret=b"x"), NOTICE, WRITER)
    assert "key=k" not in str(caught.value)


async def test_dead_man_is_called_by_get_and_its_answer_counts() -> None:
    with receiving() as receiver:
        receiver.status = 200
        await call_dead_man(receiver.url)
        receiver.status = 404
        with pytest.raises(ChannelAwayError, match="404"):
            await call_dead_man(receiver.url)
    assert len(receiver.requests) == 2
    with pytest.raises(ChannelAwayError):
        await call_dead_man(receiver.url)


def test_secrets_as_text_and_as_the_standard_writes_them() -> None:
    assert secret_bytes("any text") == b"any text"
    with pytest.raises(ValueError, match="base64"):
        secret_bytes("whsec_!")
