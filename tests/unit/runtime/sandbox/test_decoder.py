"""A decoding worker that was taken over can do nothing; the same attacks succeed without the policy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runtime.sandbox.decoder import worker_environment
from tests.support.sandbox.attacks import outcomes

_NEEDS_ROOT = {"load a program into the kernel", "read another process's memory"}


@pytest.mark.parametrize("policy", ["decoder", "none"])
def test_worker_taken_over_can_do_nothing(tmp_path: Path, policy: str) -> None:
    found = outcomes(policy, tmp_path)
    if policy == "decoder":
        assert set(found.values()) == {errno.EPERM}, found
        return
    refused = {name for name, number in found.items() if number}
    if os.geteuid() != 0:
        refused -= _NEEDS_ROOT
    assert refused <= {"load a program into the kernel"}, found  # positive control; the arguments of bpf() are nonsense


def test_worker_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "open sesame")
    assert "open sesame" not in str(worker_environment())
