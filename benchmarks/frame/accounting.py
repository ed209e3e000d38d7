"""CPU and memory of what is measured, from the operating system's own accounting.

Two views, since either alone misleads. By role: the CPU that the kernel charged to the processes of a role (on
loopback it charges the receiver's soft-interrupt work to the sender, and write-back of dirty pages to no process).
Whole machine: what all cores did together in the same time, kernel threads included.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

DRIVER = "driver"
"""The role of this very process, without its children: always on the account."""

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at the accounts. CPU in seconds since each process began; memory in bytes."""

    mono_s: float
    wall_s: float
    role_cpu_s: dict[str, float]
    machine_busy_s: float
    machine_softirq_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used between two readings."""

    elapsed_s: float
    cpu_s: dict[str, float]  # by role
    machine_cpu_s: float  # all processes and the kernel, all cores
    softirq_cpu_s: float
    other_cpu_s: float  # the machine's, less the roles': foreign load, kernel threads, unattributed work
    clock_step_s: float  # wall clock against monotonic clock


class Accounts:
    """Reads the accounts of named roles, each a set of root processes with all their descendants."""

    def __init__(self, roles: Mapping[str, Iterable[int]]) -> None:
        self._roles = {role: tuple(pids) for role, pids in roles.items()}

    def read(self) -> Reading:
        """Now. A process that has gone counts as nothing: end readings before ending processes."""
        busy, softirq = _machine_cpu_s()
        return Reading(
            mono_s=time.monotonic(),
            wall_s=time.time(),
            role_cpu_s={DRIVER: time.process_time()}
            | {role: sum(map(_tree_cpu_s, pids)) for role, pids in self._roles.items()},
            machine_busy_s=busy,
            machine_softirq_s=softirq,
        )

    def memory_bytes(self) -> dict[str, int]:
        """Proportional set size by role: shared pages are divided among those who share them."""
        return {role: sum(map(_tree_pss_bytes, pids)) for role, pids in self._roles.items()}


def between(first: Reading, last: Reading) -> Usage:
    """What was used from ``first`` to ``last``."""
    elapsed = last.mono_s - first.mono_s
    cpu = {role: last.role_cpu_s[role] - first.role_cpu_s[role] for role in first.role_cpu_s}
    # The machine's account is sampled by the clock's ticks and misses work shorter than one; the processes' is exact.
    machine = max(last.machine_busy_s - first.machine_busy_s, sum(cpu.values()))
    return Usage(
        elapsed_s=elapsed,
        cpu_s=cpu,
        machine_cpu_s=machine,
        softirq_cpu_s=last.machine_softirq_s - first.machine_softirq_s,
        other_cpu_s=max(0.0, machine - sum(cpu.values())),
        clock_step_s=abs((last.wall_s - first.wall_s) - elapsed),
    )


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _tree_cpu_s(pid: int) -> float:
    """User and system time of a process, its living descendants, and its children that have ended."""
    total = 0.0
    for process in _tree(pid):
        try:
            total += _process_cpu_s(process.pid)
        except (OSError, ValueError):
            continue
    return total


def _process_cpu_s(pid: int) -> float:
    """From schedstat where the kernel has it (nanoseconds, every thread), else from stat (ticks of 10 ms)."""
    children_ticks = sum(int(field) for field in _stat_fields(pid)[13:15])
    threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    if not threads:
        return sum(int(field) for field in _stat_fields(pid)[11:15]) * _TICK_S
    own_ticks = sum(int(field) for field in _stat_fields(pid)[11:13])
    own_ns = sum(int(path.read_text().split()[0]) for path in threads)
    # Threads that have ended are in stat only; the larger of the two has them all, to a tick.
    return max(own_ns / 1e9, own_ticks * _TICK_S - _TICK_S) + children_ticks * _TICK_S


def _stat_fields(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat after the command name (which may hold spaces and brackets)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _tree_pss_bytes(pid: int) -> int:
    total = 0
    for process in _tree(pid):
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
    return total


def _machine_cpu_s() -> tuple[float, float]:
    """(busy, soft interrupts) of all cores together, from the first line of /proc/stat. Steal is not ours: left out."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) * _TICK_S, softirq * _TICK_S
