"""A confined worker's connections, made for it: whatever address it names, it gets the one that we chose.

Its connect() waits (seccomp's user notification) until we have connected a socket of our own and put it in the place of
the worker's descriptor. Nothing of the worker's memory is read, so there is nothing that it could change meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import select
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

Connect = Callable[[], Awaitable[socket.socket]]

_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif of linux/seccomp.h
_ANSWER: Final = struct.Struct("=QqiI")
_NEW_DESCRIPTOR: Final = struct.Struct("=QIIII")
_IN_ITS_PLACE: Final = 1  # SECCOMP_ADDFD_FLAG_SETFD


def _request(direction: int, nr: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("!") << 8 | nr


_RECEIVE: Final = _request(3, 0, _NOTIFICATION.size)
_SEND: Final = _request(3, 1, _ANSWER.size)
_ADD: Final = _request(1, 3, _NEW_DESCRIPTOR.size)


async def take_listener(sock: socket.socket) -> int | None:
    """What the worker sends first (``decoder.confine_client``): a descriptor of ours then. None when it ends before."""
    await _readable(sock.fileno())
    try:
        _, found, _, _ = socket.recv_fds(sock, 1, 1)
    except OSError:
        return None
    return found[0] if found else None


@contextlib.asynccontextmanager
async def mediated(listener: int, connect: Connect, *, most: int) -> AsyncIterator[None]:
    """Answer the worker's connect() calls while the block runs; closes ``listener``.

    connect: gives a connected socket; an OSError of it becomes the worker's
    most: calls that are answered; the others are refused
    """
    task = asyncio.create_task(_answer_all(listener, connect, most), name="connections of a worker")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))
        os.close(listener)


async def _answer_all(listener: int, connect: Connect, most: int) -> None:
    made = 0
    while await _asked(listener):
        data = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, data, True)
        except OSError:  # it was ended meanwhile
            continue
        call, _, _, _, _, _, descriptor, *_ = _NOTIFICATION.unpack(data)
        made += 1
        refused = errno.EACCES if made > most else await _connect(listener, call, descriptor & 0xFFFFFFFF, connect)
        with contextlib.suppress(OSError):
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(call, 0, -refused, 0))


async def _asked(listener: int) -> bool:
    """Wait for a call; False when the worker is gone."""
    await _readable(listener)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return not any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _connect(listener: int, call: int, descriptor: int, connect: Connect) -> int:
    """0, or why there is no connection, as an errno."""
    try:
        with await connect() as sock:
            sock.setblocking(False)
            added = _NEW_DESCRIPTOR.pack(call, _IN_ITS_PLACE, sock.fileno(), descriptor, os.O_CLOEXEC)
            fcntl.ioctl(listener, _ADD, added)
    except TimeoutError:
        return errno.ETIMEDOUT
    except OSError as error:
        return error.errno or errno.ECONNREFUSED
    return 0
