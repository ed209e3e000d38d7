"""The process of an embedded service: started with its own log, awaited, stopped by id, and ended when we end."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.errors import ServiceError
from runtime.private_files import write_private

_PR_SET_PDEATHSIG = 1
_LEFTOVER_GRACE_S: Final = 10.0
_FIRST_PORT, _LAST_PORT = 20_000, 65_535  # below are too many with a name
_OF_ITS_END: Final = re.compile(r"\bPANIC\b|^panic:|^fatal error:|\[FTL\]|^F\d{4} ")
"""How PostgreSQL, Go, NATS and SeaweedFS begin the line that says why the whole program ends."""
_libc = ctypes.CDLL(None, use_errno=True)
_claimed: dict[int, int] = {}
"""Descriptors by port, open until this process ends: what is to listen on a chosen port may take seconds to start."""


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
        program: str,
        environment: Mapping[str, str] | None = None,
        orphaned: signal.Signals = signal.SIGTERM,
        locks: Iterable[Path] = (),
    ) -> None:
        """ServiceError when the program cannot be started. ``environment``: added to a minimal one.

        directory: the service's own, in which it works; call with the data directory's lock held
        program: the name of its executable
        orphaned: what ends it when we are killed
        locks: its own lock files, which hold nothing once no such program works in ``directory`` any more
        """
        self.name = name
        self.log = log
        end_leftovers_in(directory, program)
        for lock in locks:
            lock.unlink(missing_ok=True)
        minimal = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "LC_ALL": "C", "TZ": "UTC"}
        minimal["TMPDIR"] = str(directory)
        rotate(log)
        self._begun_at = log.stat().st_size if log.exists() else 0  # what is before is of earlier runs
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

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, stop: bool = True) -> None:
        """Poll ``ready``. ServiceError with the log's last line when the service ends, or takes too long.

        stop: one that takes too long is stopped
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.alive():
                raise ServiceError(f"{self.name} ended at its start: {self.last_words()}.", f"Its log: {self.log}")
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
        """How it ended, and why, where this run's log says so. A line of another matter is worse than none."""
        code = self._process.poll()
        how = "" if code is None else f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        with self.log.open("rb") as log:
            log.seek(self._begun_at)
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = [line for line in lines if _OF_ITS_END.search(line)]
        if not said and code is not None and code > 0:
            said = [line for line in lines if "FATAL" in line] or lines  # it gave up by itself
        return ": ".join(filter(None, (how, said[-1][:300] if said else ""))) or "no message"

    def stop(self, *, how: signal.Signals = signal.SIGTERM, grace_s: float = 10.0) -> None:
        """Stop the process, by force after ``grace_s``."""
        if self.alive():
            self._process.send_signal(how)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """Kill the process as a crash would. For tests."""
        self._process.kill()
        self._process.wait()


def end_leftovers_in(directory: Path, program: str, *, grace_s: float = _LEFTOVER_GRACE_S) -> None:
    """End what an earlier, killed run left behind: processes of ``program`` that work in ``directory`` or below.

    Asks them to end, by force after ``grace_s``. A process id in a file would not do: after a power cut it may be that
    of another program, and the file may have come with a copy of the directory, whose original goes on.
    """
    deadline = time.monotonic() + grace_s
    signalled: set[int] = set()
    while left := _working_in(directory.resolve(), program):
        for pid in left:
            late = time.monotonic() > deadline
            if late or pid not in signalled:
                _end(pid, signal.SIGKILL if late else signal.SIGTERM)
        signalled |= left
        time.sleep(0.05)


def _working_in(directory: Path, program: str) -> set[int]:
    """Process ids; a program that was replaced meanwhile counts by its old name."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and (entry / "exe").readlink().name.removesuffix(" (deleted)") == program
                and (entry / "cwd").readlink().is_relative_to(directory)
            ):
                found.add(int(entry.name))
        except OSError:  # gone meanwhile, a zombie, or of another user
            continue
    return found


def _end(pid: int, by: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, by)
        os.kill(pid, signal.SIGCONT)  # a stopped one would not hear of the first


def rotate(log: Path, limit_bytes: int = 8 << 20) -> None:
    """Rename a log that has grown beyond the limit; one old log is kept."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_suffix(".old"))


def free_ports(count: int) -> list[int]:
    """Free ports on loopback, outside the range that the kernel gives to outgoing connections.

    One that it does could be taken before the service listens there, or at any later start. None is chosen by another
    installation that starts at the same time. ServiceError.
    """
    first, last = outgoing_ports()
    candidates = [port for port in range(_FIRST_PORT, _LAST_PORT + 1) if not first <= port <= last]
    shuffled = secrets.SystemRandom().sample(candidates, len(candidates))
    found = list(itertools.islice((port for port in shuffled if can_listen(port) and _claim(port)), count))
    if len(found) < count:
        raise ServiceError(
            "There are no free ports outside of those for outgoing connections.",
            "Make net.ipv4.ip_local_port_range smaller.",
        )
    return found


def _claim(port: int) -> bool:
    """Keep other processes of ours from choosing it; the kernel lets go of the name when this process ends."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0tallenne-port-{port}")
    except OSError:
        name.close()
        return False
    _claimed[port] = name.detach()
    return True


def outgoing_ports() -> tuple[int, int]:
    """The first and the last that the kernel gives to outgoing connections."""
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(first), int(last)


def can_listen(port: int) -> bool:
    """Whether a service could listen on this loopback port: it has no listener and no outgoing connection."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether a listener accepts on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def remembered_port(file: Path) -> int:
    """The port that was used last time if it is still free, since people keep addresses; else a free one."""
    if file.exists() and (text := file.read_text().strip()).isdigit() and can_listen(int(text)):
        return int(text)
    (port,) = free_ports(1)
    write_private(file, f"{port}\n".encode())
    return port
