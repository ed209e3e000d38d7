"""Backups at rest: the recovery key, the bytes of heads and parts, and the place that holds them."""

from storage.backup.errors import (
    BackupDamagedError,
    BackupExistsError,
    BackupPlaceError,
    LogGoneError,
    RecoveryKeyError,
)
from storage.backup.place import BackupBucket, BackupDirectory, BackupPlace
from storage.backup.recovery import RecoveryKey, WritingKeys

__all__ = [
    "BackupBucket",
    "BackupDamagedError",
    "BackupDirectory",
    "BackupExistsError",
    "BackupPlace",
    "BackupPlaceError",
    "LogGoneError",
    "RecoveryKey",
    "RecoveryKeyError",
    "WritingKeys",
]
