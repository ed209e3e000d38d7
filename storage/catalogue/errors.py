"""The errors of the catalogue beside those of the database."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, StorageError


class NewerDatabaseError(StorageError, MisuseError):
    """The database was migrated by a newer version of Tallenne."""


class ChangedMigrationError(StorageError, MisuseError):
    """An applied migration's text is not the text this version ships."""


class BrokenCertificateError(StorageError, PeerError):
    """The chain of certificates does not hold: one was changed, removed or replaced."""


class SegmentConflictError(StorageError, PeerError):
    """A segment's id is known already, with another size or hash. Never overwritten; a person must look."""


class ContestedIdError(StorageError, RetryableError):
    """A segment's id is known with other contents, whose signature the custodian has not verified yet."""


class LeaseNotHeldError(StorageError, PeerError):
    """The database knows of no lease of that number that the segment's recorder held."""
