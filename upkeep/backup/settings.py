"""What backups get from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from domain.ids import CameraId
from runtime.settings import DatabaseSettings, StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPeriods:
    """When backups are made, for how long they are kept, and when they are tried."""

    every_s: float = 120.0  # so much is lost at most when everything is lost, and what one round takes
    base_h: float = 24.0  # a new base copy of the database
    keep_d: int = 35  # a month's mistake is found within the next days; what is deleted is gone from backups by then
    drill_d: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSource:
    """What is backed up."""

    database: DatabaseSettings | None  # of the owner; None: the operator's own PostgreSQL, which they back up
    cluster: Path  # the embedded cluster's directory
    files: Mapping[str, Path]  # by their name in the backup; directories count with all in them


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlaceSettings:
    """One of the two."""

    directory: Path | None = None
    store: StoreSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Everything that the role needs."""

    source: BackupSource
    place: BackupPlaceSettings
    directory: Path  # of the role alone: the keys that write, and how far the log has been sent
    run_directory: Path
    periods: BackupPeriods = field(default_factory=BackupPeriods)
    footage: StoreSettings | None = None  # the bucket to replicate …
    replica: StoreSettings | None = None  # … and where to
    retention_ns: Mapping[CameraId, int] = field(default_factory=dict)  # of each camera
