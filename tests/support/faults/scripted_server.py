"""An HTTP/1.1 server in threads of the test's process, whose every response is a function of the test's."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runtime.settings import StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it arrived."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


Respond = Callable[[Received], bytes]
"""The raw response; empty: the connection is closed without one."""


@dataclass
class ScriptedServer:
    """What arrived, and on how many connections."""

    endpoint: str
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(
            endpoint=self.endpoint, secure=False, bucket="bucket", access_key="key", secret_key="secret-0"
        )

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A response with its length. ``headers``: underscores stand for hyphens."""
    fields = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body


@contextlib.contextmanager
def scripted_server(respond: Respond) -> Iterator[ScriptedServer]:
    """Serves inside the block."""
    open_sockets: set[socket.socket] = set()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            server.connections += 1
            open_sockets.add(self.connection)
            with contextlib.suppress(OSError):
                while self._one():
                    pass
            open_sockets.discard(self.connection)

        def _one(self) -> bool:
            line = self.rfile.readline()
            if not line:
                return False
            method, path, _ = line.decode().split(" ", 2)
            headers = http.client.parse_headers(self.rfile)
            body = self.rfile.read(int(headers.get("content-length") or 0))
            request = Received(method=method, path=path, headers=headers, body=body)
            server.requests.append(request)
            raw = respond(request)
            self.wfile.write(raw)
            self.wfile.flush()
            head = http.client.parse_headers(io.BytesIO(raw.partition(b"\r\n")[2]))
            return bool(raw) and head.get("connection") != "close"

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

    with Threads(("127.0.0.1", 0), Handler) as listening:
        server = ScriptedServer(endpoint=f"127.0.0.1:{listening.server_address[1]}")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            for sock in list(open_sockets):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            thread.join()
