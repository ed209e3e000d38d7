"""Errors of the spool."""

from __future__ import annotations

from domain.errors import MisuseError, RetryableError, StorageError


class SpoolError(StorageError, RetryableError):
    """The spool cannot be written or read: disk full, read-only, out of descriptors, damaged."""


class SpoolFullError(SpoolError):
    """The spool holds as much as it may, or the disk has no more than its reserve left."""


class SpoolBusyError(StorageError, MisuseError):
    """Another recorder uses this spool directory."""


class DamagedSpoolFileError(SpoolError):
    """A file in the spool is not what was written there. It is set aside, never deleted."""
