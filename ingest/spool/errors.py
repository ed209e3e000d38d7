"""Errors of the spool."""

from __future__ import annotations

from domain.errors import MisuseError, RetryableError, StorageError


class SpoolError(StorageError, RetryableError):
    """The spool cannot be written or read: disk full, read-only, out of descriptors, damaged."""


class SpoolFullError(SpoolError):
    """The spool has reached its limit, or the disk only has its reserve left."""


class SpoolBusyError(StorageError, MisuseError):
    """Another recorder uses this spool directory."""


class DamagedSpoolFileError(SpoolError):
    """A file in the spool differs from what was written. It is set aside, never deleted."""
