"""Heartbeats arrive from the process that is watched, from nobody else, and stop when its event loop does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime import heartbeat
from runtime.heartbeat import VARIABLE, Listener, Watch, beating

ROLE = """
import asyncio, time
from runtime.heartbeat import beating
async def role():
    async with beating():
        await asyncio.sleep(0.3)
        print("stuck", flush=True)
        time.sleep(600)
asyncio.run(role())
"""


def test_process_is_stuck_after_six_silent_looks() -> None:
    """With its start that makes less than ten seconds."""
    watch = Watch()
    assert not watch.stuck(True)
    assert [watch.stuck(False) for _ in range(6)] == [False] * 5 + [True]


def test_any_beat_begins_the_count_anew() -> None:
    watch = Watch(silent_looks=3)
    assert not any(watch.stuck(heard) for heard in [True, False, False, True, False, False, True])


def test_start_takes_as_long_as_it_takes_within_reason() -> None:
    watch = Watch(silent_looks=2, first_looks=5)
    assert [watch.stuck(False) for _ in range(5)] == [False] * 4 + [True]


async def test_beats_come_while_the_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)
    with contextlib.closing(Listener()) as listener:
        monkeypatch.setenv(VARIABLE, listener.address)
        async with beating():
            assert VARIABLE not in os.environ
            await asyncio.sleep(0.1)
            assert listener.heard(os.getpid())
            await asyncio.sleep(0.1)
            assert listener.heard(os.getpid())
        listener.heard(os.getpid())
        await asyncio.sleep(0.05)
        assert not listener.heard(os.getpid())


async def test_role_without_a_listener_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    async with beating():
        pass
    monkeypatch.setenv(VARIABLE, "@nobody-listens-here")
    async with beating():
        await asyncio.sleep(0)


async def test_beats_go_to_a_socket_with_a_path_as_systemd_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "user@1000"))
        systemd.settimeout(30)
        monkeypatch.setenv(VARIABLE, str(tmp_path / "user@1000"))
        async with beating():
            await asyncio.sleep(0)
            assert systemd.recv(256) == b"READY=1\nWATCHDOG=1"


def test_somebody_else_cannot_beat_for_a_process() -> None:
    with contextlib.closing(Listener()) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for message in (b"WATCHDOG=1", b"WATCHDOG=trigger"):
            stranger.sendto(message, listener.address.replace("@", "\0"))
        assert not listener.heard(os.getppid())
        assert not listener.given_up
        stranger.sendto(b"WATCHDOG=1", listener.address.replace("@", "\0"))
        assert listener.heard(os.getpid())


def test_process_whose_loop_spins_falls_silent() -> None:
    with contextlib.closing(Listener()) as listener:
        role = subprocess.Popen(
            [sys.executable, "-c", ROLE], env={**os.environ, VARIABLE: listener.address}, stdout=subprocess.PIPE
        )
        with role:
            assert role.stdout is not None
            assert role.stdout.readline() == b"stuck\n"
            assert listener.heard(role.pid)
            time.sleep(1.5)
            assert not listener.heard(role.pid)
            role.kill()


async def test_no_beat_comes_while_something_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)
    what = ""
    with contextlib.closing(Listener()) as listener:
        monkeypatch.setenv(VARIABLE, listener.address)
        async with beating(lambda: what):
            await asyncio.sleep(0.1)
            assert listener.heard(os.getpid())
            what = "hour keys"
            await asyncio.sleep(0.1)
            listener.heard(os.getpid())
            assert listener.given_up  # said once, so that nobody waits for the silence
            await asyncio.sleep(0.1)
            assert not listener.heard(os.getpid())


async def test_no_beat_comes_while_there_is_no_descriptor_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a role records and reports nothing although its event loop runs: only a restart mends a leak."""
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)
    said = asyncio.Event()
    monkeypatch.setattr(heartbeat._log, "error", lambda *_: said.set())
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.closing(Listener()) as listener:
        monkeypatch.setenv(VARIABLE, listener.address)
        async with beating():
            await asyncio.sleep(0.1)
            assert listener.heard(os.getpid())
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
            try:
                await asyncio.wait_for(said.wait(), 10)
                listener.heard(os.getpid())
                assert listener.given_up
                await asyncio.sleep(0.1)
                assert not listener.heard(os.getpid())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
