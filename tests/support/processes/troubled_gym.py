"""A whole gym under trouble: ``tallenne up`` with cameras and a door outside of it, and an account of what they sent.

The door publishes at QoS 1 and notes what was acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
import psutil

from domain.time import NS, Span
from pipeline.embedded.accounts import OWNER
from pipeline.embedded.process import die_with_parent
from runtime.database import connect
from runtime.problems import summary
from runtime.settings import DatabaseSettings
from runtime.status import statuses
from tests.support.footage.recording import assert_tiled
from tests.support.processes.started import READY_S, start, tallenne, wait_for

ROLES: Final = ("custodian", "index", "serve", "ingest", "keeper", "live", "notify")
SERVICES: Final = {"database": "postgres", "broker": "nats-server", "store": "weed"}
CAMERAS: Final = 2
DISK_BYTES: Final = 1500 << 20


def configuration(urls: Sequence[str]) -> str:
    """A site with a door and its cameras."""
    why = 'zone = "hall"\npurpose = "safety"\nassessment = "dpia-1"\nretention_h = 24\n'
    cameras = "".join(f'[[site.camera]]\nname = "camera {n}"\nurl = "{url}"\n{why}' for n, url in enumerate(urls))
    return (
        '[[site]]\nname = "Gym"\n'
        + cameras
        + '[[site.door]]\nname = "Front"\nexternal_id = "front"\ncameras = [{ name = "camera 0" }]\n'
        + '[[door_system]]\nsite = "Gym"\ntopic = "access/gym/+"\ndecoder = "native"\n'
    )


@contextmanager
def cameras(count: int = CAMERAS) -> Iterator[list[str]]:
    """Simulated cameras in a process of their own, which nobody troubles."""
    options = ["--cameras", str(count), "--bitrate", "300000", "--fps", "12", "--gop", "12", "--size", "640x360"]
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.rtsp_server", *options], stdout=subprocess.PIPE, preexec_fn=die_with_parent
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["urls"]
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own at ``at``, kept in ``image``: it can fill and break without anybody else's harm."""

    image: Path
    at: Path

    @classmethod
    def make(cls, image: Path, at: Path) -> Disk | None:
        """None where this may not be done: it takes root and a loop device."""
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
        at.mkdir(mode=0o700)
        disk = cls(image, at)
        # Without a journal it becomes read-only over an error, and is as it was after the next mount.
        made = subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", image], capture_output=True, check=False)
        return disk if made.returncode == 0 and disk.mount() else None

    def mount(self) -> bool:
        """Whether it could be."""
        command = ["mount", "-o", "loop,errors=remount-ro", self.image, self.at]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return False
        self.at.chmod(0o700)
        return True

    def remount(self, mode: str) -> None:
        """mode: "ro" or "rw"."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self.at], capture_output=True, check=True)

    def unmount(self) -> None:
        # The watcher may be reading a status file just now.
        wait_for(lambda: subprocess.run(["umount", self.at], capture_output=True, check=False).returncode == 0, 20)
        subprocess.run(["fsck.ext4", "-y", self.image], capture_output=True, check=False)

    def break_down(self) -> None:
        """As after a bad sector: no more writes."""
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", self.at], capture_output=True, text=True, check=True
        ).stdout
        Path(f"/sys/fs/ext4/{Path(device.strip()).name}/trigger_fs_error").write_text("1")

    def fill(self) -> None:
        with (self.at / "ballast").open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        (self.at / "ballast").unlink()


class Door:
    """Publishes an event four times a second. acknowledged: when each was, by its time (UTC, ns)."""

    def __init__(self, gym: TroubledGym) -> None:
        self._gym = gym
        self.acknowledged: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door")

    def __enter__(self) -> Door:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, ValueError, KeyError, RuntimeError):
                self._connected()
            self._stop.wait(0.2)

    def _connected(self) -> None:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="front", clean_session=False)
        port, password = self._gym.broker()
        client.username_pw_set("tallenne_doors", password)
        client.connect("127.0.0.1", port, keepalive=5)
        client.loop_start()
        try:
            while not self._stop.wait(0.25):
                occurred_ns = time.time_ns() // 1_000_000 * 1_000_000
                sent = client.publish("access/gym/front", _event(occurred_ns), qos=1)
                sent.wait_for_publish(5)
                if not sent.is_published():
                    return
                self.acknowledged[occurred_ns] = time.monotonic()
        finally:
            client.disconnect()
            client.loop_stop()


def _event(occurred_ns: int) -> bytes:
    at = datetime.fromtimestamp(occurred_ns / NS, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"event_id": str(occurred_ns), "occurred_at": at, "kind": "denied"}).encode()


@dataclass(kw_only=True)
class TroubledGym:
    """``directory``: its configuration, and ``data``, which may be a disk of its own."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None
    cameras: int = CAMERAS
    disk: Disk | None = None  # under ``data``
    lies: list[str] = field(default_factory=list)
    mails: Callable[[], list[str]] = list  # subjects of the alarms that have arrived

    @property
    def data(self) -> Path:
        return self.directory / "data"

    # -- As an operator

    def start(self) -> None:
        """`tallenne up`; not waited for."""
        (self.directory / "up.out").unlink(missing_ok=True)
        self.process = start(self.directory, "--config", "tallenne.toml")

    def has_started(self) -> bool:
        """Whether it says where the staff's pages are, before it ends; waited for."""
        process = self.process
        assert process is not None
        wait_for(lambda: "Staff pages:" in self.output() or process.poll() is not None, READY_S)
        return "Staff pages:" in self.output()

    def stop(self) -> None:
        """In good order."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)

    def power_cut(self) -> None:
        """Everything dies at once."""
        assert self.process is not None
        if self.process.poll() is not None:
            return
        victims = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        self.process.wait()

    def output(self) -> str:
        return (self.directory / "up.out").read_text(errors="replace")

    def broker(self) -> tuple[int, str]:
        """The port, and the doors' password there."""
        endpoints = json.loads((self.data / "run" / "endpoints.json").read_text())
        return endpoints["broker"]["port"], (self.data / "broker" / "tallenne_doors.secret").read_text().strip()

    def statuses(self) -> dict[str, dict[str, Any]]:
        """As `tallenne status` reads them."""
        return {status["role"]: status for status in statuses(self.data / "run")}

    def said_by_status(self) -> str:
        """What `tallenne status` prints."""
        return tallenne(self.directory, "status", "--config", "tallenne.toml", code=None)

    def health(self) -> str:
        """What an outside monitor hears; "" for no answer."""
        context = ssl._create_unverified_context()
        port = json.loads((self.data / "run" / "endpoints.json").read_text())["serve"]["port"]
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{port}/v1/health", timeout=4, context=context) as answer:
                return str(json.load(answer)["state"])
        except urllib.error.HTTPError as refused:
            refused.close()
            return "refused"
        except (OSError, ValueError):
            return ""

    # -- What really is

    def processes(self) -> dict[str, psutil.Process]:
        """Roles by their command, services by their program."""
        assert self.process is not None
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    if name := _name(child):
                        found[name] = child
        return found

    def working(self) -> set[str]:
        """Those that run, and are not stopped."""
        found = set()
        for name, process in self.processes().items():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED):
                    found.add(name)
        return found

    def not_well(self, door: Door, since_s: float) -> list[str]:
        """What has not shown since ``since_s`` that it works: roles, services, cameras, the door; [] for nothing."""
        said, working = self.statuses(), self.working()
        found = [f"{name} does not run" for name in (*ROLES, *SERVICES) if name not in working]
        for name in (*ROLES, "up"):
            one = said.get(name)
            if one is None or one["state"] not in ("ready", "degraded") or _said_s(one) < since_s:
                found.append(f"{name} says {one and one['state']!r}")
        for name, one in said.get("up", {}).get("services", {}).items():
            if one["state"] != "working" or _said_s(said["up"]) - one["answered_s"] < since_s:
                found.append(f"{name} is {one['state']!r}")
        cameras = said.get("ingest", {}).get("cameras", {}).values()
        found += [f"{self.cameras - len(cameras)} cameras unknown"] if len(cameras) != self.cameras else []
        for camera in cameras:
            lag_s = camera.get("lag_s")
            if camera.get("state") != "recording" or lag_s is None or lag_s >= 5:
                found.append(f"camera {camera.get('state')!r}, lag {lag_s} s")
        if not any(at_s > since_s for at_s in door.acknowledged.values()):
            found.append("no event acknowledged")
        if not said.get("index", {}).get("subscribed", False):
            found.append(f"index not subscribed: {summary(said.get('index', {}).get('problems', []))}")
        return found

    def database(self) -> DatabaseSettings:
        """As its owner."""
        return DatabaseSettings(
            host=json.loads((self.data / "run" / "endpoints.json").read_text())["database"]["host"],
            port=5432,
            database="tallenne",
            user=OWNER,
            password=(self.data / "postgres" / "owner.secret").read_text().strip(),
        )

    async def rows(self) -> tuple[set[int], dict[str, list[Any]], dict[str, list[Any]]]:
        """Times of events; spans of segments and of gaps with their cause, by camera."""
        conn = await connect(self.database())
        try:
            events = {row["occurred_ns"] for row in await conn.fetch("SELECT occurred_ns FROM access_event")}
            segments: dict[str, list[Any]] = {}
            for row in await conn.fetch("SELECT camera_id, start_ns, end_ns FROM segment WHERE state = 'live'"):
                segments.setdefault(str(row["camera_id"]), []).append((row["start_ns"], row["end_ns"]))
            gaps: dict[str, list[Any]] = {}
            for row in await conn.fetch("SELECT camera_id, start_ns, end_ns, cause FROM gap"):
                gaps.setdefault(str(row["camera_id"]), []).append((row["start_ns"], row["end_ns"], row["cause"]))
        finally:
            await conn.close()
        return events, segments, gaps


def _said_s(status: Mapping[str, Any]) -> float:
    """When, by this machine's monotonic clock."""
    return float(status["updated_mono_ns"]) / NS


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    if "pipeline.cli" in words:
        return words[words.index("pipeline.cli") + 1]
    program = process.name()
    return next((name for name, wanted in SERVICES.items() if program == wanted), "")


def left_over_processes(directory: Path) -> list[str]:
    """Processes that still work with this directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            here = Path(process.cwd()).is_relative_to(directory) or any(str(directory) in w for w in process.cmdline())
            if here and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline())[:200])
    return found


def slow() -> float:
    """How much longer things take on a machine that is busy with something else."""
    return max(1.0, psutil.getloadavg()[0] / (psutil.cpu_count() or 1))


def held_against(gym: TroubledGym, door: Door, excused: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Every acknowledged event is there; each camera's time is tiled; gaps lie in ``excused`` (UTC, s) alone."""
    events, segments, gaps = asyncio.run(gym.rows())
    lost = sorted(set(door.acknowledged) - events)
    assert not lost, f"{len(lost)} of {len(door.acknowledged)} acknowledged events are lost, the first: {lost[0]}"
    assert len(segments) == gym.cameras
    unexcused = []
    for camera, footage in segments.items():
        mine = gaps.get(camera, [])
        assert_tiled(spans(footage), spans(mine))
        for start_ns, end_ns, cause in mine:
            if not any(begin_s <= start_ns / NS and end_ns / NS <= end_s for begin_s, end_s in excused):
                unexcused.append((cause, start_ns / NS, (end_ns - start_ns) / NS))
    assert not unexcused, f"gaps without a reason: {unexcused}; reasons: {excused}"
    return {"events": len(events), "segments": sum(map(len, segments.values())), "gaps": sum(map(len, gaps.values()))}


def spans(rows: Sequence[Sequence[Any]]) -> list[Span]:
    """Rows that begin with start and end (UTC, ns)."""
    return [Span(row[0], row[1]) for row in rows]
