"""What can happen to a whole gym: each trouble begins, lasts, and is over when its function returns."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Final

import psutil

from tests.support.processes.started import wait_for
from tests.support.processes.troubled_gym import ROLES, SERVICES, TroubledGym, left_over_processes

STOPPED_S: Final = 30.0
STARVED_S: Final = 12.0
FULL_S: Final = 20.0
SAID_WITHIN_S: Final = 15.0
RESTARTED: Final = ("kill parent", "power cut")
NEED_A_DISK: Final = (
    "full disk",
    "power cut over a full disk",
    "power cut over a read-only disk",
    "power cut before a read-only disk",
)

Trouble = Callable[[TroubledGym], None]


def kill(name: str) -> Trouble:
    def do(gym: TroubledGym) -> None:
        gym.processes()[name].kill()

    return do


def stop(name: str) -> Trouble:
    """For half a minute; it may be replaced before that."""

    def do(gym: TroubledGym) -> None:
        victim = gym.processes()[name]
        victim.suspend()
        until_s = time.monotonic() + STOPPED_S
        while time.monotonic() < until_s and victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.2)
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.resume()

    return do


def starve(name: str) -> Trouble:
    """No more descriptors than it has."""

    def do(gym: TroubledGym) -> None:
        victim = gym.processes()[name]
        before = victim.rlimit(resource.RLIMIT_NOFILE)
        victim.rlimit(resource.RLIMIT_NOFILE, (victim.num_fds(), before[1]))
        time.sleep(STARVED_S)
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.rlimit(resource.RLIMIT_NOFILE, before)

    return do


def kill_parent(gym: TroubledGym) -> None:
    """`tallenne up` dies; an operator's init system starts it again at once."""
    assert gym.process is not None
    gym.process.kill()
    gym.process.wait()
    gym.start()


def power_cut(gym: TroubledGym) -> None:
    gym.power_cut()
    gym.start()


def full_disk(gym: TroubledGym) -> None:
    """Somebody else's files, for a while. It is said, and nothing needs a hand afterwards."""
    assert gym.disk is not None
    gym.disk.fill()
    began_s = time.monotonic()
    wait_for(lambda: "is full" in gym.said_by_status(), SAID_WITHIN_S)
    time.sleep(max(0.0, FULL_S - (time.monotonic() - began_s)))
    gym.disk.free()


def read_only_disk(gym: TroubledGym) -> None:
    """It breaks, is said to be read-only, and is mounted anew while the power is off."""
    assert gym.disk is not None
    gym.disk.break_down()
    wait_for(lambda: "is read-only" in gym.said_by_status(), SAID_WITHIN_S)
    time.sleep(5)
    gym.power_cut()
    wait_for(lambda: not left_over_processes(gym.directory), 20)
    gym.disk.unmount()
    assert gym.disk.mount()
    gym.start()


def start_on_a_full_disk(gym: TroubledGym) -> None:
    """Nothing can start: people are written to (unless they were just now), and nothing needs a hand but the room."""
    assert gym.disk is not None
    gym.power_cut()
    gym.disk.fill()
    told = len(gym.mails())
    gym.start()
    wait_for(lambda: "It is tried again" in gym.output(), 60)
    raised = lambda: str(gym.statuses().get("notify", {}).get("raised", ""))  # noqa: E731
    wait_for(lambda: "is full" in "".join(gym.mails()[told:]) + raised(), 60)
    assert "is full" in gym.said_by_status()
    gym.disk.free()


def start_on_a_read_only_disk(gym: TroubledGym) -> None:
    """Nothing can be written: `up` says so, people are written to all the same, and once it can it goes on."""
    assert gym.disk is not None
    gym.power_cut()
    wait_for(lambda: not left_over_processes(gym.directory), 20)
    gym.disk.remount("ro")
    told = len(gym.mails())
    gym.start()
    wait_for(lambda: "is read-only. Make room on it, or make it writable. It is tried again" in gym.output(), 60)
    wait_for(lambda: "cannot be written to (Read-only file system)" in "".join(gym.mails()[told:]), 60)
    gym.disk.remount("rw")


def power_cut_at_start(gym: TroubledGym) -> None:
    """And once more while it starts, at any moment of that."""
    gym.power_cut()
    gym.start()
    time.sleep(random.uniform(0.2, 12.0))
    power_cut(gym)


def copied(gym: TroubledGym) -> None:
    """A copy of the data directory is started beside the original."""
    other = gym.directory.parent / "copy"
    # While everything writes: what disappears meanwhile, and a database that does not start from that, are no matter.
    subprocess.run(["cp", "-a", gym.directory, other], capture_output=True, check=False)
    copy = TroubledGym(directory=other)
    copy.start()
    try:
        copy.has_started()
    finally:
        copy.power_cut()
        shutil.rmtree(other, ignore_errors=True)


TROUBLES: Final[dict[str, Trouble]] = {
    **{f"kill {name}": kill(name) for name in (*ROLES, *SERVICES)},
    **{f"stop {name}": stop(name) for name in (*ROLES, *SERVICES)},
    **{f"starve {name}": starve(name) for name in (*ROLES, *SERVICES)},
    "kill parent": kill_parent,
    "power cut": power_cut,
    "power cut while it starts": power_cut_at_start,
    "power cut over a read-only disk": read_only_disk,
    "power cut over a full disk": start_on_a_full_disk,
    "power cut before a read-only disk": start_on_a_read_only_disk,
    "full disk": full_disk,
    "copied": copied,
}
COSTS_FOOTAGE: Final = ("ingest", "parent", "power", "full disk")
"""Troubles during which nothing is recorded, for as long as they last."""
