"""A whole gym under trouble: ``tallenne up`` with cameras and a door outside of it, and an account of what they sent.

The door publishes at QoS 1 and notes what was acknowledged. A watcher compares what the status files and the health
answer say with what the processes really do.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
import psutil

from domain.time import NS, Span
from pipeline.embedded.postgres import OWNER
from pipeline.embedded.process import die_with_parent
from runtime.database import connect
from runtime.settings import DatabaseSettings
from runtime.status import NOT_KNOWN, statuses
from tests.support.footage.recording import assert_tiled
from tests.support.processes.started import start, tallenne, wait_for

ROLES: Final = ("custodian", "index", "serve", "ingest", "notify")
SERVICES: Final = {"database": "postgres", "broker": "nats-server", "store": "weed"}
TRUE_WITHIN_S: Final = 5.0
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
def cameras() -> Iterator[list[str]]:
    """Simulated cameras in a process of their own, which nobody troubles."""
    options = ["--cameras", str(CAMERAS), "--bitrate", "300000", "--fps", "12", "--gop", "12", "--size", "640x360"]
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
    disk: Disk | None = None  # under ``data``
    lies: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    # -- As an operator

    def start(self) -> None:
        """`tallenne up`; not waited for."""
        (self.directory / "up.out").unlink(missing_ok=True)
        self.process = start(self.directory, "--config", "tallenne.toml")

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

    def well(self, door: Door, since_s: float) -> bool:
        """All run and say so, every camera is recorded, and an event was acknowledged after ``since_s``."""
        said = self.statuses()
        if not {*ROLES, "up"} <= set(said) or any(said[role]["state"] not in ("ready", "degraded") for role in said):
            return False
        if any(service["state"] != "working" for service in said["up"].get("services", {}).values()):
            return False
        found = said["ingest"].get("cameras", {}).values()
        recorded = len(found) == CAMERAS and all(
            camera["state"] == "recording" and camera["lag_s"] is not None and camera["lag_s"] < 5 for camera in found
        )
        heard = any(at_s > since_s for at_s in door.acknowledged.values())
        return recorded and heard and said["index"].get("subscribed", False)

    async def rows(self) -> tuple[set[int], dict[str, list[Any]], dict[str, list[Any]]]:
        """Times of events; spans of segments and of gaps with their cause, by camera."""
        settings = DatabaseSettings(
            host=json.loads((self.data / "run" / "endpoints.json").read_text())["database"]["host"],
            port=5432,
            database="tallenne",
            user=OWNER,
            password=(self.data / "postgres" / "owner.secret").read_text().strip(),
        )
        conn = await connect(settings)
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


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    if "pipeline.cli" in words:
        return words[words.index("pipeline.cli") + 1]
    program = process.name()
    return next((name for name, wanted in SERVICES.items() if program == wanted), "")


class Watcher:
    """Notes in ``gym.lies`` what is said and is not so for longer than ``TRUE_WITHIN_S``."""

    def __init__(self, gym: TroubledGym) -> None:
        self._gym = gym
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._every, args=(look,)) for look in (self._roles, self._health)]
        self._away_since: dict[str, float] = {}
        self._said_wrong_since: dict[str, float] = {}
        self.paused = threading.Event()  # while `up` itself is away

    def __enter__(self) -> Watcher:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _every(self, look: Any) -> None:
        while not self._stop.wait(0.5):
            if not self.paused.is_set():
                with contextlib.suppress(OSError, ValueError, KeyError, psutil.NoSuchProcess):
                    look()

    def _roles(self) -> None:
        working, now_s = self._gym.working(), time.monotonic()
        for name in (*ROLES, *SERVICES):
            if name in working:
                self._away_since.pop(name, None)
            else:
                self._away_since.setdefault(name, now_s)
        said = self._gym.statuses()
        for role in ROLES:
            shown = said.get(role, {}).get("state", "unknown") not in NOT_KNOWN
            self._held(f"status: {role} is there", now_s, wrong=shown and self._away_s(role, now_s) > 0)
        services = said.get("up", {}).get("services", {})
        for name in SERVICES:
            shown = services.get(name, {}).get("state") == "working"
            self._held(f"status: {name} works", now_s, wrong=shown and self._away_s(name, now_s) > 0, more_s=10)

    def _health(self) -> None:
        state, now_s = self._gym.health(), time.monotonic()
        parts = ("custodian", "index", "ingest", "notify", "database", "store", "broker")
        away = max(self._away_s(name, now_s) for name in parts)
        self._held("health: ready", now_s, wrong=state == "ready" and away > 0, more_s=10)

    def _away_s(self, name: str, now_s: float) -> float:
        return now_s - self._away_since.get(name, now_s)

    def _held(self, what: str, now_s: float, *, wrong: bool, more_s: float = 0) -> None:
        """``more_s``: what a probe of a service takes to find it out."""
        if not wrong:
            self._said_wrong_since.pop(what, None)
        elif now_s - self._said_wrong_since.setdefault(what, now_s) > TRUE_WITHIN_S + more_s:
            self._gym.lies.append(f"{what}, for {now_s - self._said_wrong_since[what]:.1f} s, away {self._away_since}")


def left_over_processes(directory: Path) -> list[str]:
    """Processes that still work with this directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            here = Path(process.cwd()).is_relative_to(directory) or any(str(directory) in w for w in process.cmdline())
            if here and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline())[:200])
    return found


def held_against(gym: TroubledGym, door: Door, excused: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Every acknowledged event is there; each camera's time is tiled; gaps lie in ``excused`` (UTC, s) alone."""
    events, segments, gaps = asyncio.run(gym.rows())
    lost = sorted(set(door.acknowledged) - events)
    assert not lost, f"{len(lost)} of {len(door.acknowledged)} acknowledged events are lost, the first: {lost[0]}"
    assert len(segments) == CAMERAS
    unexcused = []
    for camera, spans in segments.items():
        mine = gaps.get(camera, [])
        assert_tiled(_spans(spans), _spans(mine))
        for start_ns, end_ns, cause in mine:
            if not any(begin_s <= start_ns / NS and end_ns / NS <= end_s for begin_s, end_s in excused):
                unexcused.append((cause, start_ns / NS, (end_ns - start_ns) / NS))
    assert not unexcused, f"gaps without a reason: {unexcused}; reasons: {excused}"
    return {"events": len(events), "segments": sum(map(len, segments.values())), "gaps": sum(map(len, gaps.values()))}


def _spans(rows: Sequence[Sequence[Any]]) -> list[Span]:
    return [Span(row[0], row[1]) for row in rows]
