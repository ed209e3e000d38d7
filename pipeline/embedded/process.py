"""One embedded service's process: started with a log of its own, waited for, stopped by id, never outliving us."""

from __future__ import annotations

import ctypes
import itertools
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeline.errors import ServiceError

_PR_SET_PDEATHSIG = 1
_FIRST_PORT, _LAST_PORT = 20_000, 65_535  # below are too many with a name
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """In the child, before exec: the kernel ends it when we are gone, by kill -9 too. Its session keeps Ctrl-C away."""
    _libc.prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    os.umask(0o077)


class ServiceProcess:
    """A running service. ``log`` is its output, cut at the size limit at every start."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        orphaned: signal.Signals = signal.SIGTERM,
    ) -> None:
        """ServiceError when the program cannot be started. ``environment``: added to a minimal one.

        orphaned: what ends it when we are killed
        """
        self.name = name
        self.log = log
        self._pid_file = directory / f"{name}.pid"
        self._end_leftover()
        minimal = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "LC_ALL": "C", "TZ": "UTC"}
        minimal["TMPDIR"] = str(directory)
        rotate(log)
        try:
            with log.open("ab") as out:
                self._process = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=directory,
                    env={**minimal, **(environment or {})},
                    start_new_session=True,
                    preexec_fn=partial(die_with_parent, orphaned),
                )
        except OSError as exc:
            raise ServiceError(f"{name} cannot be started: {exc.strerror}.", "Run ./run again to install it.") from exc
        self.pid = self._process.pid
        self._pid_file.write_text(f"{self.pid} {_start_time(self.pid)}\n")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, stop: bool = True) -> None:
        """Poll ``ready``. ServiceError with the log's last line when the service ends, or takes too long.

        stop: one that takes too long is stopped
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.alive():
                raise ServiceError(f"{self.name} ended at its start: {self.last_words()}", f"Its log: {self.log}")
            if time.monotonic() > deadline:
                if stop:
                    self.stop()
                raise ServiceError(f"{self.name} did not answer within {timeout_s:.0f} s.", f"Its log: {self.log}")
            time.sleep(0.05)

    def send(self, which: signal.Signals) -> None:
        """Nothing when it has ended."""
        if self.alive():
            self._process.send_signal(which)

    def last_words(self) -> str:
        """The log's last line, for an error message."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def stop(self, *, how: signal.Signals = signal.SIGTERM, grace_s: float = 10.0) -> None:
        """In good order, by force after ``grace_s``."""
        if self.alive():
            self._process.send_signal(how)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """As a crash would: no good order. For tests of faults."""
        self._process.kill()
        self._process.wait()

    def _end_leftover(self) -> None:
        """A process that an earlier, killed run left behind still holds the data: end it, if it is really that one.

        The file may have come with a copy of the directory: the original's service goes on.
        """
        try:
            pid, started = self._pid_file.read_text().split()
        except (OSError, ValueError):
            return
        if _start_time(int(pid)) != started or not _works_in(int(pid), self._pid_file.parent):
            return
        os.kill(int(pid), signal.SIGTERM)
        deadline = time.monotonic() + 10
        while _start_time(int(pid)) == started:
            if time.monotonic() > deadline:
                os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.05)


def _works_in(pid: int, directory: Path) -> bool:
    """Whether the process has its working directory there or below, as every service has from its start."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory.resolve())
    except OSError:
        return False


def _start_time(pid: int) -> str:
    """When a process was started, in the kernel's ticks: tells it from a later one with the same id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]


def rotate(log: Path, limit_bytes: int = 8 << 20) -> None:
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_suffix(".old"))


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody holds just now, and that the kernel gives to no outgoing connection meanwhile.

    One that it does could be taken before the service listens there, or at any later start. ServiceError.
    """
    first, last = outgoing_ports()
    candidates = [port for port in range(_FIRST_PORT, _LAST_PORT + 1) if not first <= port <= last]
    shuffled = secrets.SystemRandom().sample(candidates, len(candidates))
    found = list(itertools.islice(filter(can_listen, shuffled), count))
    if len(found) < count:
        raise ServiceError(
            "There are no free ports outside of those for outgoing connections.",
            "Make net.ipv4.ip_local_port_range smaller.",
        )
    return found


def outgoing_ports() -> tuple[int, int]:
    """The first and the last that the kernel gives to outgoing connections."""
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(first), int(last)


def can_listen(port: int) -> bool:
    """Whether a service could listen on this loopback port: nobody does, and no outgoing connection has it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether somebody answers on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def remembered_port(file: Path) -> int:
    """The port that was used last time, as long as nobody else took it: people keep addresses. Else a free one."""
    if file.exists() and (text := file.read_text().strip()).isdigit() and can_listen(int(text)):
        return int(text)
    (port,) = free_ports(1)
    file.write_text(f"{port}\n")
    return port
