"""An S3 server with habits of its own: it refuses headers, sends elsewhere, has another clock, is busy. In memory."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "odd"
Refusal = tuple[int, str, str]  # status, code, sentence


@dataclass(slots=True)
class Habits:
    """refuse: of the method, the headers (lower case) and how many requests came before. None: it does as asked."""

    refuse: Callable[[str, dict[str, str], int], Refusal | None] = lambda *_: None
    headers: dict[str, str] = field(default_factory=dict)  # of every refusal
    verifies: bool = True  # checksums
    create_only: bool = True
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    endpoint: str = ""


def refuses(*headers: str, status: int = 400, code: str = "InvalidArgument") -> Callable[..., Refusal | None]:
    """Whatever carries one of ``headers`` is refused, and the sentence names it."""

    def refuse(_: str, sent: dict[str, str], __: int) -> Refusal | None:
        bad = next((header for header in headers if header in sent), None)
        return bad and (status, code, f"Unsupported header '{bad}' received for this API call.")

    return refuse


@contextmanager
def odd_store(habits: Habits) -> Iterator[Habits]:
    """Listening while the block runs; ``habits.endpoint`` says where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(habits))
    server.daemon_threads = True
    habits.endpoint = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield habits
    finally:
        server.shutdown()
        server.server_close()


def _handler(habits: Habits) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"habits": habits})


class _Handler(BaseHTTPRequestHandler):
    """Answers as the store's habits say; ``_handler()`` sets them."""

    habits: ClassVar[Habits]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = {key.lower(): value for key, value in self.headers.items()}
        count = sum(method == self.command for method, _ in self.habits.requests)
        self.habits.requests.append((self.command, sent))
        where = urlsplit(self.path)
        key = unquote(where.path).lstrip("/").partition("/")[2]
        if refusal := self.habits.refuse(self.command, sent, count):
            self._refuse(*refusal)
        elif not key:
            self._bucket(parse_qs(where.query, keep_blank_values=True))
        else:
            getattr(self, f"_{self.command.lower()}")(key, body, sent)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)

    def _refuse(self, status: int, code: str, sentence: str) -> None:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{sentence}</Message></Error>"
        self._answer(status, text.encode(), {"Content-Type": "application/xml", **self.habits.headers})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _bucket(self, query: dict[str, list[str]]) -> None:
        if "versioning" in query:
            self._answer(200, b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
            return
        names = sorted(name for name in self.habits.objects if name.startswith(query.get("prefix", [""])[0]))
        items = "".join(
            f"<Contents><Key>{name}</Key><LastModified>2026-11-29T00:00:00.000Z</LastModified>"
            f"<Size>{len(self.habits.objects[name])}</Size></Contents>"
            for name in names
        )
        listed = f"<Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{items}"
        head = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        self._answer(200, f"{head}{listed}</ListBucketResult>".encode())

    def _put(self, key: str, body: bytes, sent: dict[str, str]) -> None:
        if self.habits.create_only and "if-none-match" in sent and key in self.habits.objects:
            self._refuse(412, "PreconditionFailed", "At least one of the preconditions did not hold.")
            return
        want = sent.get("x-amz-checksum-sha256")
        if self.habits.verifies and want is not None and want != _checksum(body):
            self._refuse(400, "BadDigest", "The checksum did not match.")
            return
        self.habits.objects[key] = body
        self._answer(200, b"", self._checksums(body))

    def _checksums(self, body: bytes) -> dict[str, str]:
        return {"x-amz-checksum-sha256": _checksum(body)} if self.habits.verifies else {}

    def _delete(self, key: str, _: bytes, __: dict[str, str]) -> None:
        self.habits.objects.pop(key, None)
        self._answer(204)

    def _head(self, key: str, _: bytes, __: dict[str, str]) -> None:
        found = self.habits.objects.get(key)
        if found is None:
            self._answer(404)
        else:
            self._answer(200, b"", {"Content-Length": str(len(found)), **self._checksums(found)})

    def _get(self, key: str, _: bytes, sent: dict[str, str]) -> None:
        found = self.habits.objects.get(key)
        if found is None:
            self._refuse(404, "NoSuchKey", "The specified key does not exist.")
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", sent.get("range", ""))
        first, last = (int(asked[1]), min(int(asked[2]), len(found) - 1)) if asked else (0, len(found) - 1)
        extent = {"Content-Range": f"bytes {first}-{last}/{len(found)}"}
        self._answer(206 if asked else 200, found[first : last + 1], extent)


def _checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
