"""One client's connection: requests in, replies and interleaved packets out."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import TYPE_CHECKING, Final, cast

from demo.errors import BadRequestError
from demo.rtsp.digest import Verdict
from demo.rtsp.messages import Request, RequestParser, Response
from demo.rtsp.reader import Reader
from demo.rtsp.sdp import TRACK
from demo.rtsp.stream import Stream

if TYPE_CHECKING:
    from demo.rtsp.server import RtspServer

_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_OPEN: Final = frozenset(("OPTIONS",))
_CHANNELS: Final = re.compile(r"interleaved=(\d+)(?:-(\d+))?")


class Connection(asyncio.Protocol):
    """One session of one stream at most: SETUP, PLAY, TEARDOWN, as recorders do it."""

    def __init__(self, server: RtspServer) -> None:
        self._server = server
        self._parser = RequestParser()
        self._transport: asyncio.Transport
        self._session = ""
        self._stream: Stream | None = None
        self._channel = 0
        self._reader: Reader | None = None
        self.heard = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the server to admit the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._server.admit(self, self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop playing and leave the server's set."""
        self._stop_playing()
        self._server.connections.discard(self)

    def abort(self) -> None:
        """Reset the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer complete requests; an invalid one gets 400 and the connection ends."""
        self.heard = time.monotonic()
        try:
            requests = self._parser.push(data)
        except BadRequestError:
            self._transport.write(Response(400).to_bytes("0"))
            self._transport.close()
            return
        for request in requests:
            self._serve(request)

    def _serve(self, request: Request) -> None:
        response = self._refusal(request) or self._answer(request)
        self._transport.write(response.to_bytes(request.headers.get("cseq", "0")))
        if self._reader is not None and request.method == "PLAY" and response.status == 200:
            cast(Stream, self._stream).add(self._reader)  # after the reply: no packet may overtake it
        if response.close:
            self._transport.close()

    def _refusal(self, request: Request) -> Response | None:
        """Check the credentials, and whether a fault refuses the request."""
        digest = self._server.digest
        if digest is not None and request.method not in _OPEN:
            verdict = digest.check(request)
            if verdict is not Verdict.OK:
                return Response(401, digest.challenges(stale=verdict is Verdict.STALE))
        stream = self._find(request)
        if stream is not None and stream.faults.refusing and request.method in ("DESCRIBE", "SETUP", "PLAY"):
            return Response(503)
        return None

    def _answer(self, request: Request) -> Response:
        match request.method:
            case "OPTIONS":
                return Response(200, [("Public", _METHODS)])
            case "DESCRIBE":
                return self._describe(request)
            case "SETUP":
                return self._set_up(request)
            case "PLAY" | "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                return self._in_session(request)
        return Response(501)

    def _describe(self, request: Request) -> Response:
        stream = self._find(request)
        if stream is None:
            return Response(404)
        base = ("Content-Base", request.uri.rstrip("/") + "/")
        return Response(200, [base, ("Content-Type", "application/sdp")], stream.describe())

    def _set_up(self, request: Request) -> Response:
        stream = self._find(request)
        if stream is None:
            return Response(404)
        if self._reader is not None:
            return Response(455)
        transport = request.headers.get("transport", "")
        if "RTP/AVP/TCP" not in transport:
            return Response(461)
        asked = _CHANNELS.search(transport)
        self._channel = min(int(asked[1]), 254) if asked else 0
        self._stream = stream
        self._session = self._session or secrets.token_hex(8)
        # The SSRC is the reader's own and made at PLAY; the answer need not state it (RFC 2326 section 12.39).
        spoken = f"RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"
        return Response(200, [("Transport", spoken), self._session_header()])

    def _in_session(self, request: Request) -> Response:
        named = request.headers.get("session", "").partition(";")[0]
        if request.method == "GET_PARAMETER" and not named:
            return Response(200)
        if not self._session or named != self._session:
            return Response(454)
        if request.method == "PLAY":
            return self._play(request)
        if request.method == "TEARDOWN":
            self._stop_playing()
            self._session, self._stream = "", None
            return Response(200)
        return Response(451 if request.method == "SET_PARAMETER" else 200, [self._session_header()])

    def _play(self, request: Request) -> Response:
        stream = cast(Stream, self._stream)
        if self._reader is None:
            self._reader = Reader(self._transport, self._channel, self._server.max_pending_bytes)
        track = f"{request.uri.rstrip('/')}/{TRACK}" if not request.uri.endswith(TRACK) else request.uri
        when = self._reader.rtp_time(stream.ticks_now())
        info = f"url={track};seq={self._reader.sequence & 0xFFFF};rtptime={when}"
        return Response(200, [self._session_header(), ("Range", "npt=now-"), ("RTP-Info", info)])

    def _session_header(self) -> tuple[str, str]:
        return "Session", f"{self._session};timeout={self._server.session_s}"

    def _find(self, request: Request) -> Stream | None:
        return self._server.streams.get(request.path.removesuffix(f"/{TRACK}"))

    def _stop_playing(self) -> None:
        if self._stream is not None and self._reader is not None:
            self._stream.remove(self._reader)
        self._reader = None
