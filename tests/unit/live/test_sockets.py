"""Sockets: both ends know the other's user, and what is in the way is not removed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from pathlib import Path

import pytest

from live.errors import SocketError
from live.sockets import connect, listening

ME = os.geteuid()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(100))


async def test_own_user_is_served_and_the_socket_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listening(path, (ME,), echo):
        assert path.stat().st_mode & 0o777 == 0o600
        reader, writer = await connect(path, (ME,))
        writer.write(b"here")
        assert await reader.read() == b"here"
        writer.close()
    assert not path.exists()


async def test_others_are_cut_off_on_either_side(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listening(path, (ME + 1,), echo):
        assert path.stat().st_mode & 0o777 == 0o666  # the kernel's word decides
        reader, writer = await connect(path, (ME,))
        writer.write(b"here")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
    async with listening(path, (ME,), echo):
        with pytest.raises(SocketError):
            await connect(path, (ME + 1,))
        await asyncio.sleep(0.05)


async def test_a_user_who_may_not_connect_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s"
    async with listening(path, (ME + 1,), echo):
        for _ in range(50):
            reader, writer = await connect(path, (ME,))
            assert await reader.read() == b""
            writer.close()
    assert len([one for one in caplog.records if f"user {ME} is not allowed" in one.getMessage()]) == 1


def connected_as(uid: int, path: Path) -> socket.socket:
    """The kernel notes the effective user at connect() (unix(7))."""
    sock = socket.socket(socket.AF_UNIX)
    os.seteuid(uid)
    try:
        sock.connect(str(path))
    finally:
        os.seteuid(ME)
    return sock


@pytest.mark.skipif(ME != 0, reason="only root may become another user")
async def test_another_user_for_real_is_cut_off_without_a_word() -> None:
    """With a control: as an expected user the same is served."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 (as a coroutine may)
        path = Path(folder) / "s"
        async with listening(path, (ME, 65_533), echo):
            for uid, answer in ((65_534, b""), (65_533, b"here")):
                reader, writer = await asyncio.open_unix_connection(sock=connected_as(uid, path))
                writer.write(b"here")
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == answer
                writer.close()


async def test_a_dead_ones_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = await asyncio.start_unix_server(echo, path)
    server.close()
    assert path.exists()
    async with listening(path, (ME,), echo):
        pass
    path.write_text("precious")
    with pytest.raises(SocketError):
        async with listening(path, (ME,), echo):
            pass
    assert path.read_text() == "precious"
