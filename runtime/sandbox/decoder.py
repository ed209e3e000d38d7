"""The policy of every process that decodes what others made: it computes on what it is given, and that is all.

A worker calls ``confine()`` once everything is imported, before the first foreign byte. From then on it can open no
file, start no process, reach no network and no other process: it reads and writes its standard streams.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from runtime.sandbox import kernel
from runtime.sandbox.bpf import ABSENT, ALLOW, ASK, REFUSE, Arg, Rule, program
from runtime.sandbox.held import CALLS, CAPABILITIES, FILES, NETWORK, PRIVILEGES, Held

MEMORY_BYTES: Final = 2 << 30

_THREAD: Final = 0x00010000  # CLONE_THREAD
_PR_SET_NAME: Final = 15
_PROT_EXEC: Final = 4
_LOW: Final = 0xFFFFFFFF  # of an argument that is an int
_TCP: Final = (0, socket.IPPROTO_TCP)
_KEPT: Final = (0, 1, 2)  # standard input, output and error

_PLAIN: Final = (
    *("read", "readv", "pread64", "write", "writev", "close", "lseek", "fstat", "poll", "ppoll"),
    *("munmap", "mremap", "brk", "madvise", "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "getrandom"),
    *("getpid", "gettid", "exit", "exit_group"),
)
_OF_SOCKETS: Final = ("recvfrom", "recvmsg", "shutdown", "getsockopt", "setsockopt", "getpeername", "getsockname")


def confine(*, memory_bytes: int = MEMORY_BYTES) -> Held:
    """For a worker that needs its standard streams only."""
    return _confine(_rules(), memory_bytes)


def confine_client(hand_over: socket.socket, *, memory_bytes: int = MEMORY_BYTES) -> Held | None:
    """For a worker that speaks TCP with one peer: the process at the other end of ``hand_over`` makes them.

    Each connect() waits until that process has answered it: see ``runtime.sandbox.mediator``. None: the kernel cannot
    do that, and nothing but limits holds.
    """
    if not kernel.no_new_privileges():
        return None
    asking = kernel.filter_asking(program([Rule("connect", ASK)], ALLOW, kernel.MACHINE))
    if asking is None:
        return None
    socket.send_fds(hand_over, [b"L"], [asking])
    os.close(asking)
    return _confine((*_rules(), *_client_rules()), memory_bytes)


def _confine(rules: tuple[Rule, ...], memory_bytes: int) -> Held:
    kernel.die_with_parent(signal.SIGKILL)
    os.closerange(len(_KEPT), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for which, limit in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(which, (limit, limit))
    alone = kernel.threads() == 1  # Landlock is for the thread that asks for it
    privileges = kernel.no_new_privileges()
    kernel.undumpable()
    version = kernel.restrict({}, ports={}, scoped=kernel.ABSTRACT_SOCKETS | kernel.SIGNALS) if privileges else 0
    capabilities = kernel.drop_capabilities()
    calls = privileges and kernel.filter_system_calls(program(rules, REFUSE, kernel.MACHINE))
    outcomes = {
        PRIVILEGES: privileges,
        CALLS: calls,
        FILES: calls or (version > 0 and alone),
        NETWORK: calls,
        CAPABILITIES: capabilities,
    }
    return Held.of(outcomes)


def _rules() -> tuple[Rule, ...]:
    not_executable = ((Arg(2, 0, _PROT_EXEC),),)
    return (
        *(Rule(name) for name in _PLAIN),
        Rule("mmap", when=not_executable),
        Rule("mprotect", when=not_executable),
        Rule("clone", when=((Arg(0, _THREAD, _THREAD),),)),
        Rule("clone3", ABSENT),  # its flags lie in memory, where a filter cannot look; clone is what comes instead
        Rule("tgkill", when=((Arg(0, os.getpid(), _LOW),),)),
        Rule("prctl", when=((Arg(0, _PR_SET_NAME, _LOW),),)),
        Rule("fcntl", when=tuple((Arg(1, command, _LOW),) for command in (1, 2, 3, 4))),  # F_GETFD to F_SETFL
    )


def _client_rules() -> tuple[Rule, ...]:
    """TCP sockets, and no way to name an address but connect(): sendto() can, with MSG_FASTOPEN."""
    stream = Arg(1, socket.SOCK_STREAM, 0xF)
    families = (socket.AF_INET, socket.AF_INET6)
    sockets = tuple((Arg(0, family, _LOW), stream, Arg(2, tcp, _LOW)) for family in families for tcp in _TCP)
    return (
        *(Rule(name) for name in _OF_SOCKETS),
        Rule("socket", when=sockets),
        Rule("connect"),  # answered by another process
        Rule("sendto", when=((Arg(4, 0),),)),
    )


def worker_command(module: str) -> tuple[str, ...]:
    """How a worker is started: python's own module, nothing of the environment."""
    return (sys.executable, "-m", module)


def worker_environment() -> dict[str, str]:
    """Where the code is, and no more: secrets may be named in ours."""
    paths = [str(Path(path).absolute()) for path in sys.path if path]
    return {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
