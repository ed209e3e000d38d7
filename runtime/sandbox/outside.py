"""A function that goes on running outside of a sandbox: in a child that is made before the process is confined.

The child takes nothing from the process but the wish to call: who takes the process over can have the function called
again, and no more.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import socket
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from domain.errors import RetryableError, TallenneError
from runtime.sandbox import kernel

_ANSWER_S: Final = 20.0
_LENGTH_BYTES: Final = 4
T = TypeVar("T")


class Outside(Generic[T]):
    """``call()`` again and again. Make it while the process has one thread and no event loop."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._ours, theirs = socket.socketpair()
        gc.freeze()  # the child's collector would copy every page
        if not (pid := os.fork()):
            self._ours.close()
            _serve(theirs, function)
        gc.unfreeze()
        self.pid = pid
        theirs.close()
        self._ours.settimeout(_ANSWER_S)

    def call(self) -> T:
        """What the function gives; its TallenneError. RetryableError when the child is gone."""
        try:
            self._ours.sendall(b"?")
            length = int.from_bytes(self._exactly(_LENGTH_BYTES), "big")
            done, found = pickle.loads(self._exactly(length))  # noqa: S301 (our own child, made before any input)
        except (OSError, EOFError) as exc:
            raise RetryableError("The process that reads the configuration is gone.", "Restart the role.") from exc
        if not done:
            raise TallenneError(*found)
        value: T = found
        return value

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            got = self._ours.recv(count - len(data))
            if not got:
                raise EOFError
            data += got
        return data


def _serve(sock: socket.socket, function: Callable[[], object]) -> None:
    """In the child, until the parent is gone."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)  # they are the role's; we end with it
        while sock.recv(1):
            try:
                answer = pickle.dumps((True, function()))
            except TallenneError as error:
                answer = pickle.dumps((False, (error.what, error.remedy)))
            sock.sendall(len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
    finally:
        with contextlib.suppress(BaseException):
            os._exit(0)
