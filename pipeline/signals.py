"""Turns signals into an event."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal

_log = logging.getLogger(__name__)


def stop_event() -> asyncio.Event:
    """Set by SIGTERM, SIGINT, and SIGHUP when the terminal goes; the running loop's.

    A signal that was ignored at our start stays ignored: SIGHUP by nohup, SIGINT by a shell without job control that
    puts a command into the background (POSIX, "Asynchronous Lists"). Without a terminal SIGHUP asks a service to read
    its files again (logrotate, systemd's ExecReload), and Tallenne does that by itself. SIGTERM always stops.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            continue
        if number == signal.SIGHUP and not _has_terminal():
            loop.add_signal_handler(number, _log.info, "SIGHUP: a changed configuration is noticed without it")
        else:
            loop.add_signal_handler(number, stop.set)
    return stop


def _has_terminal() -> bool:
    """Whether a terminal controls us, whose end SIGHUP announces."""
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
        return True
    return False
