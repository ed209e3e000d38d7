"""A client of the staff API, for `tallenne clip` and the smoke check."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from api.live.streaming import HEAD as LIVE_HEAD
from api.live.streaming import NO_LOOK
from domain.errors import MisuseError, PeerError, RetryableError, TallenneError
from domain.time import Span, from_iso, to_iso
from live.protocol import Kind


class ClientError(TallenneError):
    """The base."""


class ApiRefusedError(ClientError, MisuseError):
    """The API refused the request, with a remedy."""


class ApiAwayError(ClientError, RetryableError):
    """The API does not answer, or is unavailable."""


class ApiBrokenError(ClientError, PeerError):
    """The answer does not come from Tallenne's API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A downloaded clip."""

    span: Span  # the true one
    size_bytes: int


class StaffClient:
    """One session. Methods raise ApiRefusedError, ApiAwayError, ApiBrokenError."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._purpose = ""

    async def sign_in(self, user_name: str, password: str, code: str) -> None:
        """Sign in; later requests carry the session's cookie and token."""
        body = await self.post("/v1/sign-in", {"user_name": user_name, "password": password, "code": code})
        self._http.headers["X-CSRF-Token"] = body["csrf_token"]

    async def step_up(self, code: str) -> None:
        """Show the second factor again."""
        await self.post("/v1/step-up", {"code": code})

    async def state_purpose(self, category: str, reason: str) -> None:
        """State the purpose, which is recorded with every later look."""
        body = await self.post("/v1/purposes", {"category": category, "reason": reason})
        self._purpose = body["purpose_id"]
        self._http.headers["Tallenne-Purpose"] = self._purpose

    async def sign_out(self) -> None:
        """End the session."""
        await self.post("/v1/sign-out", {})

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON of an answer."""
        return await self._asked("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON and return the answer's JSON."""
        return await self._asked("POST", path, json=body)

    async def _asked(self, method: str, path: str, **more: Any) -> Any:
        with _told():
            answer = await self._http.request(method, path, **more)
        _check(answer)
        return answer.json() if answer.content else None

    async def fetch_clip(self, camera_id: str, span: Span, out: BinaryIO) -> Fetched:
        """Write what a player shows to ``out``, part by part as a player asks. A copy that leaves is an export."""
        query = {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns), "purpose": self._purpose}
        path = f"/v1/cameras/{camera_id}/clip.mp4"
        got, size = 0, 1
        while got < size:
            headers, more = await self._fetch(path, query, out, None, {"Range": f"bytes={got}-"})
            got, size = got + more, int(headers["Content-Range"].rpartition("/")[2])
        true_span = Span(from_iso(headers["Tallenne-Clip-Start"]), from_iso(headers["Tallenne-Clip-End"]))
        return Fetched(span=true_span, size_bytes=size)

    async def live(self, camera_id: str, offer: str) -> AsyncGenerator[dict[str, Any]]:
        """The messages of a live look, which lasts until the generator is closed. ``offer``: SDP of one video"""
        body = {"cameras": [{"camera_id": camera_id, "offer": offer}]}
        held = b""
        with _told():
            async with self._http.stream("POST", "/v1/live", json=body) as answer:
                if answer.is_error:
                    await answer.aread()
                _check(answer)
                async for piece in answer.aiter_bytes():
                    held += piece
                    while len(held) >= LIVE_HEAD.size:
                        kind, look, size = LIVE_HEAD.unpack_from(held)
                        if len(held) < LIVE_HEAD.size + size:
                            break
                        data, held = held[LIVE_HEAD.size : LIVE_HEAD.size + size], held[LIVE_HEAD.size + size :]
                        if kind == Kind.MESSAGE and look != NO_LOOK:
                            yield json.loads(data)

    async def ask_export(self, camera_id: str, span: Span, *, masked: bool = False) -> Any:
        """One camera's MP4; a colleague has to approve it."""
        start, end = to_iso(span.start_ns), to_iso(span.end_ns)
        body = {"camera_ids": [camera_id], "start": start, "end": end, "format": "mp4", "masked": masked}
        return await self.post("/v1/exports", body)

    async def fetch_export(self, export_id: str, out: BinaryIO, progress: Callable[[int, int], None]) -> Fetched:
        """Prepare an approved export if necessary and write it to ``out``. ``progress``: bytes so far, and in total."""
        path = f"/v1/exports/{export_id}"
        made = await self.get(path)
        if made["state"] != "ready":
            made = await self.post(f"{path}/prepare", {})
        while made["state"] == "working":
            await asyncio.sleep(0.3)
            made = await self.get(path)
        if made["state"] != "ready" or made["format"] != "mp4":
            raise ApiRefusedError(
                f"The export is not there ({made['problem'] or made['state']}, {made['format']}).",
                "Look at it on the page Exports.",
            )
        (file,) = made["files"]
        _, size = await self._fetch(f"{path}/download", {"purpose": self._purpose}, out, progress)
        return Fetched(span=Span(from_iso(file["start"]), from_iso(file["end"])), size_bytes=size)

    async def _fetch(
        self,
        path: str,
        query: dict[str, str],
        out: BinaryIO,
        progress: Callable[[int, int], None] | None,
        headers: dict[str, str] | None = None,
    ) -> tuple[httpx.Headers, int]:
        with _told():
            async with self._http.stream("GET", path, params=query, headers=headers) as answer:
                if answer.is_error:
                    await answer.aread()
                _check(answer)
                size = int(answer.headers["Content-Length"])
                got = 0
                async for piece in answer.aiter_bytes():
                    out.write(piece)
                    got += len(piece)
                    if progress:
                        progress(got, size)
        if got != size:
            raise ApiBrokenError(f"The file ended after {got} of {size} bytes.", "Ask again.")
        return answer.headers, size


@contextmanager
def _told() -> Iterator[None]:
    """Convert transport errors."""
    try:
        yield
    except httpx.InvalidURL as exc:
        raise ApiRefusedError(f"--server is not an address ({exc}).", "Write https://HOST:PORT.") from exc
    except httpx.TransportError as exc:
        raise ApiAwayError(
            f"The staff API does not answer ({type(exc).__name__}).", "Is it running? See `tallenne status`."
        ) from exc


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        body = answer.json()
        what, remedy = str(body["title"]), str(body.get("remedy", ""))
        if fields := body.get("fields"):
            what = f"{what} {'; '.join(f'{name}: {text}' for name, text in fields.items())}."
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ApiBrokenError(f"The API answered {answer.status_code}.") from None
    kind = ApiAwayError if answer.status_code in (429, 503) else ApiRefusedError
    raise kind(what, remedy)


@asynccontextmanager
async def staff_client(address: str, certificate: Path | None) -> AsyncIterator[StaffClient]:
    """``certificate``: the server's own, or its authority's; None: the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=str(certificate) if certificate else None)
    except OSError as exc:  # ssl.SSLError is one
        reason = "it holds no certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise ApiRefusedError(
            f"{certificate} cannot be used: {reason}.", "Name the server's certificate, PEM."
        ) from exc
    with _told():
        http = httpx.AsyncClient(base_url=address, verify=context, timeout=60.0, trust_env=False)
    async with http:
        yield StaffClient(http)
