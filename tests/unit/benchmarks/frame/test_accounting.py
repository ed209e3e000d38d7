"""Accounts of a busy child and of its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.frame.accounting import Accounts, between

_BURN = "import time\nend=time.process_time()+{}\nwhile time.process_time()<end: pass\ninput()"


def test_accounts_of_a_busy_child_see_its_cpu_and_that_of_its_ended_children() -> None:
    script = (
        f"import subprocess,sys\nsubprocess.run([sys.executable,'-c',{_BURN.format(0.2).removesuffix('input()')!r}])\n"
    )
    burner = subprocess.Popen([sys.executable, "-c", script + _BURN.format(0.3)], stdin=subprocess.PIPE)
    accounts = Accounts({"burner": [burner.pid], "none": []})
    first = accounts.read()
    deadline = time.monotonic() + 20
    while (used := between(first, accounts.read()).cpu_s["burner"]) < 0.45 and time.monotonic() < deadline:
        time.sleep(0.05)
    burner.communicate(b"\n")
    assert used == pytest.approx(0.5, abs=0.15)


def test_accounts_memory_counts_what_a_process_holds() -> None:
    holding = Accounts({"self": [os.getpid()]})
    before = holding.memory_bytes()["self"]
    ballast = bytearray(os.urandom(1 << 20) * 40)
    assert holding.memory_bytes()["self"] - before > 35 << 20
    del ballast
