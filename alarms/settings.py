"""Settings of the notify role, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from alarms.conditions import DELAYS_S, Kind
from runtime.settings import MailServer


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings(MailServer):
    """One mail server and who receives the messages."""

    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """One address that takes signed POST requests (Standard Webhooks 1.0)."""

    url: str = field(repr=False)  # services put a key into its path
    secret: bytes = field(repr=False)
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """Thresholds of conditions."""

    off: frozenset[Kind] = frozenset()
    disk_full_h: float = 24.0  # raised when the disk will be full within so many hours
    spool_full_h: float = 6.0
    keys_left_h: float = 48.0  # hour keys that a recorder has in stock
    door_silent_h: float | None = None  # None: when a door is silent longer than its usual pauses explain
    quarantine_per_h: int = 20
    restarts: int = 4  # within a quarter of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """When conditions become messages."""

    delays_s: Mapping[Kind, float] = field(default_factory=lambda: MappingProxyType(dict(DELAYS_S)))
    hold_s: float = 120.0  # a condition must be gone for so long before it counts as cleared
    group_s: float = 60.0  # at least so long between two messages about new conditions
    remind_h: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """The settings of the notify role."""

    name: str  # of this installation, in subjects
    time_zone: str  # of the times in messages
    run_directory: Path  # the roles' status files
    directory: Path  # of the role alone, 0700: raised alarms and waiting messages
    disks: Mapping[str, Path]  # name ("data", "spool") -> a directory on it
    roles: tuple[str, ...]  # those that must run on this machine
    dead_man_url: str = field(default="", repr=False)
    watch: WatchSettings = WatchSettings()
    rules: RuleSettings = RuleSettings()
    mail: MailSettings | None = None
    webhook: WebhookSettings | None = None
