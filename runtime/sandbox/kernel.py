"""The kernel's calls that confine a process: prctl(2), seccomp(2), landlock(7), capabilities(7). Linux only.

A feature that the kernel lacks is not an error here: each function says whether it holds now.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runtime.sandbox.syscalls import ARCHITECTURES, number

MACHINE: Final = os.uname().machine
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_LAST_CAPABILITY: Final = 63  # what the kernel does not know it refuses

_SET_MODE_FILTER: Final = 1
_TSYNC, _NEW_LISTENER = 1, 8
_INSTRUCTION_BYTES: Final = 8

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
TRUNCATE: Final = 1 << 14
READ: Final = READ_FILE | READ_DIR
_OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
_FILE_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""From which version of Landlock on it handles which rights: REFER, TRUNCATE and IOCTL_DEV came later."""
_NET_SINCE, _SCOPE_SINCE = 4, 6
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2
_RULE_PATH, _RULE_PORT = 1, 2
_CREATE_VERSION: Final = 1


def no_new_privileges() -> bool:
    """From now on nothing that is executed gains rights (setuid programs, file capabilities)."""
    return int(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) == 0


def undumpable() -> bool:
    """No core files; no ptrace or /proc/<pid>/mem by other processes of this user."""
    return int(_LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0


def die_with_parent(signal_number: int) -> None:
    """The kernel ends this process when the thread that started it is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def drop_capabilities() -> bool:
    """All of them, for good."""
    for capability in range(_LAST_CAPABILITY + 1):
        _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    head, none = struct.pack("=Ii", 0x20080522, 0), bytes(24)  # _LINUX_CAPABILITY_VERSION_3
    return int(_LIBC.capset(head, none)) == 0


def threads() -> int:
    """Of this process; 0 where that cannot be seen."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 (a count of names, no paths)
    except OSError:
        return 0


# -- seccomp


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def filter_system_calls(program: bytes) -> bool:
    """In every thread. Needs ``no_new_privileges()``, or root."""
    return _install(program, _TSYNC) == 0


def filter_asking(program: bytes) -> int | None:
    """In this thread: calls with the action ASK wait for who reads from the descriptor returned. None: refused."""
    listener = _install(program, _NEW_LISTENER)
    return listener if listener >= 0 else None


def _install(program: bytes, flags: int) -> int:
    if MACHINE not in ARCHITECTURES:
        return -1
    wanted = _Program(len(program) // _INSTRUCTION_BYTES, program)
    return _call("seccomp", _SET_MODE_FILTER, flags, ctypes.byref(wanted))


# -- Landlock


def landlock_version() -> int:
    """0 where the kernel has none, or it is switched off."""
    if MACHINE not in ARCHITECTURES:
        return 0
    return max(0, _call("landlock_create_ruleset", None, ctypes.c_size_t(0), _CREATE_VERSION))


def restrict(paths: Mapping[Path, int], *, ports: Mapping[int, int] | None, scoped: int = 0) -> int:
    """From now on files only as ``paths`` say: rights to what is beneath. The version of Landlock; 0: nothing holds.

    It is for this thread and what it starts. A path that is not there gives no right.
    ports: TCP ports and whether to bind or connect; None leaves TCP alone
    scoped: ABSTRACT_SOCKETS, SIGNALS: those of others are out of reach
    """
    version = landlock_version()
    if not version:
        return 0
    handled = _FILE_RIGHTS[max(since for since in _FILE_RIGHTS if since <= version)]
    net = BIND_TCP | CONNECT_TCP if version >= _NET_SINCE and ports is not None else 0
    attributes = struct.pack("=QQQ", handled, net, scoped if version >= _SCOPE_SINCE else 0)
    size = 24 if version >= _SCOPE_SINCE else 16 if version >= _NET_SINCE else 8
    ruleset = _call("landlock_create_ruleset", ctypes.c_char_p(attributes), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    try:
        for path, rights in paths.items():
            _allow_beneath(ruleset, path, rights & handled)
        for port, rights in (ports or {}).items() if net else ():
            _call("landlock_add_rule", ruleset, _RULE_PORT, ctypes.c_char_p(struct.pack("=QQ", rights, port)), 0)
        return version if _call("landlock_restrict_self", ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _allow_beneath(ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, fd)
        _call("landlock_add_rule", ruleset, _RULE_PATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(fd)


def _call(name: str, *arguments: object) -> int:
    return int(_LIBC.syscall(number(name, MACHINE), *arguments))
