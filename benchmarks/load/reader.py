"""A lean HTTP client for clips: one kept connection, the body counted and dropped."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.frame.process import ChildError


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One answer: until its first byte of body and until its last, seconds since it was asked for."""

    first_s: float
    whole_s: float
    size_bytes: int


class Reader:
    """Made by ``connect()``. One request at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Reader:
        """Connected, TLS included."""
        made = cls(host, port, tls)
        await made._open()
        return made

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=1 << 20)

    async def get(self, target: str, headers: str = "") -> Got:
        """Connects anew, before the clock runs, when the server gave an idle connection up. ChildError unless 200."""
        if self._reader.at_eof():
            await self.close()
            await self._open()
        try:
            return await self._get(target, headers)
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise ChildError(f"A connection for clips was lost ({type(exc).__name__}).") from exc

    async def _get(self, target: str, headers: str) -> Got:
        began = time.perf_counter()
        self._writer.write(f"GET {target} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{headers}\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        left = size = int(fields.get("content-length", "0"))
        status = head[0].split(" ")[1]
        if status != "200":
            body = (await self._reader.readexactly(left)).decode(errors="replace")
            raise ChildError(f"A GET was answered with {status}: {body[:300]}")
        first_s = 0.0
        while left:
            piece = await self._reader.read(min(left, 1 << 18))
            if not piece:
                raise ChildError(f"An answer broke off {left} bytes short.")
            first_s = first_s or time.perf_counter() - began
            left -= len(piece)
        return Got(first_s=first_s, whole_s=time.perf_counter() - began, size_bytes=size)

    async def close(self) -> None:
        """Whatever the other side makes of it."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
