"""A role's heartbeat: a datagram a second from its event loop to its supervisor, which ends a silent role.

The protocol is sd_notify(3), so that systemd (``Type=notify``, ``WatchdogSec=10``) watches a role that it started just
as `tallenne up` does. No file is involved: a disk that is full or read-only must not look like a role that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"
BEAT_S: Final = 1.0
STARVED_BEATS: Final = 5
"""A lack of descriptors that lasts for more beats is a leak, not a peak; only a restart removes it."""
_log = logging.getLogger(__name__)
_MESSAGE: Final = b"READY=1\nWATCHDOG=1"
_GIVEN_UP: Final = b"WATCHDOG=trigger"
"""The role says itself that only a restart helps: its supervisor need not wait for silence (sd_notify(3))."""
_SCM_CREDENTIALS: Final = 2  # linux/socket.h; the module socket does not name it
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred, unix(7): process, user, group


def _never_stuck() -> str:
    return ""


@contextlib.asynccontextmanager
async def beating(stuck: Callable[[], str] = _never_stuck) -> AsyncIterator[None]:
    """Beat while the block runs. Without a supervisor's socket this does nothing.

    stuck: what of the role is stuck although its event loop runs; "" for nothing. No beat then.
    """
    address = os.environ.pop(VARIABLE, "")  # our own children must not beat for us
    if not address:
        yield
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        task = asyncio.create_task(_beat(sock, address, stuck), name="heartbeat")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))


def _starved(sock: socket.socket) -> bool:
    """Whether this process has as many descriptors as it may: it records, serves and reports nothing then."""
    try:
        os.close(os.dup(sock.fileno()))
    except OSError as exc:
        return exc.errno == errno.EMFILE
    return False


async def _beat(sock: socket.socket, address: str, stuck: Callable[[], str]) -> None:
    starved = 0  # beats without a descriptor to be had
    while True:
        starved = starved + 1 if _starved(sock) else 0
        what = stuck() or ("The lack of descriptors" if starved > STARVED_BEATS else "")
        with contextlib.suppress(OSError):  # full while the listener is held up; or it is gone
            sock.sendto(_GIVEN_UP if what else _MESSAGE, address)
        if what:
            _log.error("%s persists: this role stops its heartbeat, so that it is restarted", what)
            return
        await asyncio.sleep(BEAT_S)


class Listener:
    """The other end, one per process. Its address goes into the process's environment as ``VARIABLE``."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")  # the kernel picks a name that is no file
        self.given_up = False  # the process has said that it must be started again

    @property
    def address(self) -> str:
        """The abstract socket's name, for the role's environment."""
        return "@" + bytes(self._socket.getsockname()).decode().lstrip("\0")

    def heard(self, pid: int) -> bool:
        """Whether this process has beaten since the last call. Others may write to the address, but not in its name."""
        beaten = False
        with contextlib.suppress(BlockingIOError):
            while True:
                message, extra, _, _ = self._socket.recvmsg(256, socket.CMSG_SPACE(_CREDENTIALS.size))
                sender = next((_CREDENTIALS.unpack(data)[0] for _, kind, data in extra if kind == _SCM_CREDENTIALS), 0)
                if sender == pid:
                    beaten |= b"WATCHDOG=1" in message
                    self.given_up |= _GIVEN_UP in message
        return beaten

    def close(self) -> None:
        """Close the socket; the role beats into the void."""
        self._socket.close()


class Watch:
    """Says when a process is stuck, from looks a second apart. Pure.

    Looks are counted, not the clock: while the machine sleeps or the watcher itself is held up, no role is silent.
    """

    def __init__(self, *, silent_looks: int = 6, first_looks: int = 60) -> None:
        """``first_looks``: until the first beat, while the program is loaded."""
        self._limit, self._silent_looks = first_looks, silent_looks
        self._silent = 0

    def stuck(self, heard: bool) -> bool:
        """After one more look."""
        if heard:
            self._silent, self._limit = 0, self._silent_looks
        else:
            self._silent += 1
        return self._silent >= self._limit
