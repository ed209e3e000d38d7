"""Settings of the simulated gym, filled in by pipeline/."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCamera:
    number: int  # in strip and marker, 0..9999
    name: str
    path: str  # of the RTSP URL, e.g. "/camera/1"
    door_external_ids: tuple[str, ...] = ()  # whose events let people walk through this picture


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDoor:
    external_id: str  # last part of the topic
    site: str  # middle part of the topic
    name: str

    @property
    def topic(self) -> str:
        """MQTT topic to which the door publishes."""
        return f"access/{self.site}/{self.external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    cameras: tuple[DemoCamera, ...]
    doors: tuple[DemoDoor, ...]
    rtsp_user: str
    rtsp_password: str = field(repr=False)  # empty: no authentication
    broker_port: int
    broker_user: str
    broker_password: str = field(repr=False)
    run_directory: Path  # status file, demo-events.jsonl and demo-skips.jsonl
    members_csv: Path  # whose credentials the doors see; see members.py
    mail_port: int | None = None  # of the server that keeps members' mail; None: there is none
    rtsp_host: str = "127.0.0.1"
    rtsp_port: int = 0  # 0: any free one; the status file says which
    broker_host: str = "127.0.0.1"
    size: tuple[int, int] = (640, 360)
    fps: float = 12.5
    bit_rate: int = 600_000
    gop_s: float = 2.0
    event_interval_s: float = 4.0  # mean, between two people who come to a door
    seed: int = 1
