"""One blocking HTTP/1.1 connection to an S3 server: signed requests, bodies by sendfile. Runs in a worker thread.

A PUT takes less than a third of the CPU of `minio` or obstore (benchmarks/RESULTS.md, "Object store client"): the
recorder knows the payload's hash and only states it, and sendfile copies nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from runtime.settings import StoreSettings
from storage.store.signing import authorization

_NO_BODY = hashlib.sha256(b"").hexdigest()
STALL_TIMEOUT_S = 20.0
"""How long the server may be silent within one request. s3.py sets a deadline for the whole request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """An unsigned request for one object, or about the bucket."""

    method: str
    name: str  # the object's; empty: the request is about the bucket
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Path | bytes = b""  # a path is sent by sendfile
    size_bytes: int = 0  # of the body
    payload_sha256: str = _NO_BODY  # of the body, hex; part of the signature


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Response:
    """A complete response, its body cut at the limit of ``exchange()``."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Signer:
    """Signs requests for one bucket."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings

    def signed(self, request: S3Request) -> tuple[str, dict[str, str]]:
        """Return the request's path and all of its headers. The signature carries the current time."""
        path = f"/{self._settings.bucket}/{quote(request.name, safe='/-_.~')}".removesuffix("/")
        if request.query:
            path += "?" + "&".join(f"{key}={quote(value, safe='-_.~')}" for key, value in sorted(request.query.items()))
        now = datetime.now(UTC)
        headers = {
            **request.headers,
            "host": self._settings.endpoint,
            "x-amz-content-sha256": request.payload_sha256,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }
        headers["Authorization"] = authorization(
            method=request.method,
            path=path,
            headers={name.lower(): value for name, value in headers.items()},
            payload_sha256=request.payload_sha256,
            region=self._settings.region,
            access_key=self._settings.access_key,
            secret_key=self._settings.secret_key,
            now=now,
        )
        if request.method == "PUT":
            headers["content-length"] = str(request.size_bytes)
        return path, headers


class S3Connection:
    """A kept-alive connection, used by one thread at a time. ``abort()`` may be called from any other thread."""

    def __init__(self, settings: StoreSettings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._signer = Signer(settings)
        self._http: http.client.HTTPConnection
        if tls is not None:
            self._http = http.client.HTTPSConnection(settings.endpoint, timeout=STALL_TIMEOUT_S, context=tls)
        else:
            self._http = http.client.HTTPConnection(settings.endpoint, timeout=STALL_TIMEOUT_S)
        self._response: http.client.HTTPResponse | None = None
        self._lock = threading.Lock()
        self._aborted = False

    @property
    def used(self) -> bool:
        """Whether an earlier request opened the connection: the server may have closed it since."""
        return self._http.sock is not None

    def exchange(self, request: S3Request, *, body_limit: int = 1 << 16) -> S3Response:
        """Send the request and read the response, its body up to ``body_limit`` bytes.

        OSError, http.client.HTTPException: the outcome is unknown. BodyError: the request was not completed.
        """
        response = self.begin(request)
        body = response.read(body_limit)  # even for HEAD: http.client frees the connection only after a read
        self.end()
        return S3Response(status=response.status, headers=response.headers, body=body)

    def begin(self, request: S3Request) -> http.client.HTTPResponse:
        """Send the request and read the response's head. The caller reads the body, then calls ``end()``."""
        self._check_not_aborted()
        with _opened(request) as body:
            return self._send(request, body)

    def _check_not_aborted(self) -> None:
        with self._lock:
            if self._aborted:
                raise ConnectionAbortedError("aborted")

    def _send(self, request: S3Request, body: BinaryIO | bytes) -> http.client.HTTPResponse:
        if self._http.sock is None:
            self._http.connect()
            self._check_not_aborted()  # an abort() during connect() found no socket to shut down
        path, headers = self._signer.signed(request)
        self._http.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
        for key, value in headers.items():
            self._http.putheader(key, value)
        self._http.endheaders()
        try:
            self._send_body(body, request.size_bytes)
        except OSError:
            # A server may refuse the request and close before it has read the body: read the response that it sent.
            with suppress(OSError, http.client.HTTPException):
                self._response = self._http.getresponse()
                return self._response
            raise
        self._response = self._http.getresponse()
        return self._response

    def end(self) -> None:
        """Call after the body has been read. Closes the connection unless the server keeps it alive."""
        response, self._response = self._response, None
        if response is not None and (not response.isclosed() or response.will_close):
            self.close()

    def abort(self) -> None:
        """Make the call that blocks in another thread fail immediately, and every later one."""
        with self._lock:
            self._aborted = True
            sock = self._http.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket; a later request opens a new one."""
        self._http.close()

    def _send_body(self, body: BinaryIO | bytes, size_bytes: int) -> None:
        sock = self._http.sock
        if isinstance(body, bytes):
            if body:
                sock.sendall(body)
            return
        sent = sock.sendfile(body, count=size_bytes) if size_bytes else 0
        if sent != size_bytes:
            # The file is shorter than the announced content-length: this request can never be completed.
            self.close()
            raise BodyError(f"the file holds {sent} of {size_bytes} bytes")


class BodyError(Exception):
    """The file to send cannot be opened, or is shorter than ``size_bytes``."""


@contextmanager
def _opened(request: S3Request) -> Iterator[BinaryIO | bytes]:
    """Open the body before anything is sent, so that an error of the local file is not taken for the server's."""
    if isinstance(request.body, bytes):
        yield request.body
        return
    try:
        file = request.body.open("rb", buffering=0)
    except OSError as exc:
        raise BodyError(f"the file cannot be opened ({exc.strerror})") from exc
    with file:
        yield file
