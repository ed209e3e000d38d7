"""The errors of storage, under one base; the kinds of domain.errors say whom an error is about."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, TallenneError


class StorageError(TallenneError):
    """Anything that went wrong in storage."""


class DatabaseError(StorageError, PeerError):
    """The database refused a statement: our SQL and its schema disagree, or a privilege is missing."""


class DatabaseAwayError(StorageError, RetryableError):
    """No connection, a restart, a timeout, a deadlock: the same statement may pass later."""


class DatabaseRefusedError(StorageError, MisuseError):
    """Wrong password, wrong database name, missing role: a person must mend the configuration."""


class NewerDatabaseError(StorageError, MisuseError):
    """The database was migrated by a newer version of Tallenne."""


class ChangedMigrationError(StorageError, MisuseError):
    """An applied migration's text is not the text this version ships."""


class SegmentConflictError(StorageError, PeerError):
    """A segment's id is known already, with another size or hash. Never overwritten; a person must look."""


class PrivateFileError(StorageError, MisuseError):
    """A file or directory that only this user may read has another owner, or others may read it."""
