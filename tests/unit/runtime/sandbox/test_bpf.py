"""Filters as the kernel would run them: a small machine here does, for both architectures and every condition."""

from __future__ import annotations

import struct

import pytest

from runtime.sandbox.bpf import ABSENT, ALLOW, KILL, REFUSE, Arg, Rule, program
from runtime.sandbox.syscalls import ARCHITECTURES, number

_RULES = (
    Rule("read"),
    Rule("clone3", ABSENT),
    Rule("socket", when=((Arg(0, 2, 0xFFFFFFFF), Arg(1, 1, 0xF)), (Arg(0, 10, 0xFFFFFFFF), Arg(2, 0)))),
    Rule("sendto", when=((Arg(4, 0),),)),
)


def run(code: bytes, nr: int, args: tuple[int, ...] = (), *, machine: str = "x86_64") -> int:
    """What the kernel does with a call."""
    padded = (*args, *[0] * (6 - len(args)))
    data = struct.pack("=iIQ6Q", nr, ARCHITECTURES[machine], 0, *padded)
    at = accumulator = 0
    instructions = list(struct.iter_unpack("=HBBI", code))
    while True:
        what, if_true, if_false, value = instructions[at]
        at += 1
        if what == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif what == 0x54:
            accumulator &= value
        elif what == 0x06:
            return int(value)
        else:
            holds = accumulator == value if what == 0x15 else accumulator >= value
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", list(ARCHITECTURES))
def test_calls_get_what_their_rule_says(machine: str) -> None:
    code = program(_RULES, REFUSE, machine)

    def asked(name: str, *args: int) -> int:
        nr = number(name, machine)
        assert nr is not None
        return run(code, nr, args, machine=machine)

    assert asked("read") == ALLOW
    assert asked("clone3") == ABSENT
    assert asked("write") == REFUSE
    assert asked("socket", 2, 1 | 0x80000) == ALLOW  # with SOCK_CLOEXEC
    assert asked("socket", 2, 2) == REFUSE
    assert asked("socket", 10, 2, 0) == ALLOW  # the second alternative
    assert asked("socket", 10, 2, 17) == REFUSE
    assert asked("sendto", 3, 0, 0, 0, 0) == ALLOW
    assert asked("sendto", 3, 0, 0, 0, 1) == REFUSE
    assert asked("sendto", 3, 0, 0, 0, 1 << 40) == REFUSE  # the high half counts


def test_other_numbers_are_no_way_round() -> None:
    allowing = program([Rule("ptrace", REFUSE)], ALLOW, "x86_64")
    nr = number("ptrace", "x86_64")
    assert nr is not None
    assert run(allowing, nr) == REFUSE
    assert run(allowing, nr | 0x40000000) == REFUSE  # x32
    assert run(allowing, 0) == ALLOW
    assert run(allowing, nr, machine="aarch64") == KILL  # 32-bit calls of the same machine come like this, too
