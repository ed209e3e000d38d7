"""A seccomp policy as a program for the kernel (seccomp(2), linux/filter.h). Pure: numbers in, bytes out."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runtime.sandbox.syscalls import ARCHITECTURES, number

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
ASK: Final = 0x7FC00000
"""SECCOMP_RET_USER_NOTIF: another process answers."""
REFUSE: Final = 0x00050000 | errno.EPERM
ABSENT: Final = 0x00050000 | errno.ENOSYS
"""As on a kernel that lacks the call: libraries then take an older one."""

_INSTRUCTION: Final = struct.Struct("=HBBI")
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_AT_LEAST = 0x15, 0x35
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data
_X32: Final = 0x40000000  # x86_64's second table of calls, under numbers of its own


@dataclass(frozen=True, slots=True)
class Arg:
    """Holds when the argument's bits under ``mask`` are ``value``."""

    index: int
    value: int
    mask: int = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to a call: ``action`` if there is no condition, or all of one alternative of ``when`` hold.

    otherwise: what happens if none does; None: the program's default
    """

    name: str
    action: int = ALLOW
    when: tuple[tuple[Arg, ...], ...] = ()
    otherwise: int | None = None


def program(rules: Iterable[Rule], default: int, machine: str) -> bytes:
    """Instructions for SECCOMP_SET_MODE_FILTER. A call that no rule takes gets ``default``.

    Calls by another architecture's numbers end the process; those of x32 are refused.
    """
    code = [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NR),
        *([(_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, REFUSE)] if machine == "x86_64" else []),
    ]
    for rule in rules:
        nr = number(rule.name, machine)
        if nr is not None:
            block = _block(rule, default)
            code += [(_IF_EQUAL, 0, len(block), nr), *block]
    code.append((_RETURN, 0, 0, default))
    return b"".join(_INSTRUCTION.pack(*one) for one in code)


def _block(rule: Rule, default: int) -> list[tuple[int, int, int, int]]:
    """For a call whose number is this one: it returns in every case."""
    if not rule.when:
        return [(_RETURN, 0, 0, rule.action)]
    block: list[tuple[int, int, int, int]] = []
    for alternative in rule.when:
        halves = [half for arg in alternative for half in _halves(arg)]
        length = 3 * len(halves) + 1
        for at, (offset, mask, value) in enumerate(halves):
            next_alternative = length - 3 * (at + 1)
            block += [(_LOAD, 0, 0, offset), (_AND, 0, 0, mask), (_IF_EQUAL, 0, next_alternative, value)]
        block.append((_RETURN, 0, 0, rule.action))
    return [*block, (_RETURN, 0, 0, default if rule.otherwise is None else rule.otherwise)]


def _halves(arg: Arg) -> Iterable[tuple[int, int, int]]:
    """An argument has 64 bits and the machine's words 32: (offset, mask, value), the low one first."""
    for shift in (0, 32):
        mask = arg.mask >> shift & 0xFFFFFFFF
        if mask:
            yield _ARGS + 8 * arg.index + shift // 8, mask, arg.value >> shift & mask
