"""The errors of what every role uses: the database, private files and mail."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, StorageError


class DatabaseError(StorageError, PeerError):
    """The database refused a statement: our SQL and its schema disagree, or a privilege is missing."""


class DatabaseAwayError(StorageError, RetryableError):
    """No connection, a restart, a timeout, a deadlock: the same statement may pass later."""

    part = "database"


class DatabaseRefusedError(StorageError, MisuseError):
    """Wrong password, wrong database name, missing role: the operator must correct the configuration."""


class PrivateFileError(StorageError, MisuseError):
    """A file or directory that only this user may read has another owner, or others may read it."""


class MailAwayError(RetryableError):
    """The mail server did not accept a message; a later attempt may succeed."""


class MailRefusedError(PeerError):
    """The mail server refused this message for good."""
