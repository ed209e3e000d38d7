"""A mail server that sends nothing on: it keeps the last mail in a file, to try members' pages with (RFC 5321)."""

from __future__ import annotations

import asyncio
import contextlib
import email
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

from runtime.private_files import write_private

FILE: Final = "demo-mail.txt"
_LINE_BYTES_MAX: Final = 4096
_MAIL_BYTES_MAX: Final = 256 * 1024
_PATIENCE_S: Final = 30.0


@contextlib.asynccontextmanager
async def keeping_mail(path: Path, port: int) -> AsyncIterator[int]:
    """Listen on loopback until the end of the block; yields the port. ``port`` 0: any free one."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await _talk(reader, writer, path)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, limit=_LINE_BYTES_MAX)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
    await _say(writer, "220 demo")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            await _say(writer, "354 Go on")
            await asyncio.to_thread(_keep, path, await _data(reader))
            await _say(writer, "250 Kept, not sent")
        elif verb == b"QUIT":
            await _say(writer, "221 Bye")
            return
        else:
            await _say(writer, "250 OK" if verb in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP") else "502 No")


async def _data(reader: asyncio.StreamReader) -> bytes:
    """Lines up to the one that is a single dot; a doubled dot at the beginning of one is a single one (4.5.2)."""
    lines, size = [], 0
    while (line := await reader.readline()) != b".\r\n":
        size += len(line)
        if not line or size > _MAIL_BYTES_MAX:
            raise EOFError
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)


def _keep(path: Path, data: bytes) -> None:
    mail = email.message_from_bytes(data, policy=default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    text = "" if body is None else body.get_content()
    write_private(path, f"To: {mail['To']}\nSubject: {mail['Subject']}\n\n{text}".encode())


async def _say(writer: asyncio.StreamWriter, answer: str) -> None:
    writer.write(f"{answer}\r\n".encode())
    await writer.drain()
