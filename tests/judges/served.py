"""A clip and the page that seeks in it, served on loopback with byte ranges, as browsers ask for them."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_SCRIPT: Final = Path(__file__).with_name("seek.js")
_PAGE: Final = b'<!doctype html><meta charset="utf-8"><title>Seek</title><body><script src="/seek.js"></script>'


@contextlib.contextmanager
def served(clip: Path) -> Iterator[str]:
    """The address of the page; the clip is ``/clip.mp4`` there."""
    data = clip.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/clip.mp4":
                self._ranged(data)
            elif self.path == "/seek.js":
                self._whole(_SCRIPT.read_bytes(), "text/javascript")
            else:
                self._whole(_PAGE, "text/html")

        def _ranged(self, whole: bytes) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked is None:
                self._whole(whole, "video/mp4")
                return
            start = int(asked[1])
            end = min(int(asked[2]) + 1 if asked[2] else len(whole), len(whole))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(whole)}")
            self._rest(whole[start:end], "video/mp4")

        def _whole(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self._rest(body, kind)

        def _rest(self, body: bytes, kind: str) -> None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
