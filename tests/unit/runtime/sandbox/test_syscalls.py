"""The numbers are the kernel's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.sandbox.syscalls import _NUMBERS, number

_HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", list(_HEADERS))
def test_numbers_are_those_of_the_headers(machine: str) -> None:
    if not _HEADERS[machine].exists():
        pytest.skip("the kernel's headers (Debian: linux-libc-dev) are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", _HEADERS[machine].read_text())
    numbers = {name: int(digits) for name, digits in found}
    if machine == "aarch64":
        numbers["newfstatat"] = numbers["fstatat"]  # 64-bit machines name it so
    assert {name: number(name, machine) for name in _NUMBERS} == {name: numbers.get(name) for name in _NUMBERS}
