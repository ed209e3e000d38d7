"""Renewed certificate files are taken up while the server runs; half a pair is not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import replace
from pathlib import Path

from api.http.certificates import Certificate, certificate_for, keep_renewed
from api.settings import ServeSettings
from runtime.settings import DatabaseSettings, StoreSettings


async def shown(port: int) -> bytes:
    """The certificate that a new connection gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
    return bytes(found)


def made(folder: Path) -> Certificate:
    folder.mkdir(mode=0o700)
    database = DatabaseSettings(host="h", port=1, database="d", user="u", password="p")
    store = StoreSettings(endpoint="h:1", secure=False, bucket="b", access_key="a", secret_key="s")
    places = {"custodian_socket": folder, "run_directory": folder, "secret_directory": folder}
    return certificate_for(ServeSettings(database=database, store=store, **places))


async def test_renewed_files_are_taken_up_and_half_a_pair_is_not(tmp_path: Path) -> None:
    first, second = made(tmp_path / "one"), made(tmp_path / "two")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(first.certificate, first.key)
    asked, waiting = asyncio.Event(), asyncio.Event()

    async def wait(_: float) -> None:
        waiting.set()
        await asked.wait()
        asked.clear()

    async def look() -> None:
        waiting.clear()
        asked.set()
        await waiting.wait()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    renewing = asyncio.create_task(keep_renewed(context, replace(first), sleep=wait))
    await waiting.wait()
    old = await shown(port)
    first.certificate.write_bytes(second.certificate.read_bytes())
    await look()
    assert await shown(port) == old
    first.key.write_bytes(second.key.read_bytes())
    await look()
    assert await shown(port) != old
    renewing.cancel()
    server.close()
    await server.wait_closed()
