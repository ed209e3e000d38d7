"""Errors about backups."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, StorageError


class RecoveryKeyError(StorageError, MisuseError):
    """The text is not a recovery key, or not the one that the backup was sealed to."""


class BackupDamagedError(StorageError, PeerError):
    """A part of a backup is missing, truncated, changed, or none of this project's."""


class BackupExistsError(StorageError, PeerError):
    """The place holds a part of that name already: an earlier attempt wrote it."""


class UnreadFilesError(StorageError, MisuseError):
    """Files that belong into the backup cannot be read."""


class BackupPlaceError(StorageError, MisuseError):
    """The place holds no backup, or not the one that was named."""


class LogGoneError(StorageError, RetryableError):
    """The database no longer has the log that the newest set needs: a new set is begun."""
