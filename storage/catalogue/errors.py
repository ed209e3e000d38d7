"""The errors of the catalogue beside those of the database."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, StorageError


class NewerDatabaseError(StorageError, MisuseError):
    """The database was migrated by a newer version of Tallenne."""


class ChangedMigrationError(StorageError, MisuseError):
    """An applied migration's text is not the text this version ships."""


class SegmentConflictError(StorageError, PeerError):
    """A segment's id is known already, with another size or hash. Never overwritten; a person must look."""
