"""Errors of the object store. None of them carries a signature, a credential or a URL with a query."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError
from runtime.errors import StorageError


class StoreAwayError(StorageError, RetryableError):
    """No connection, a reset, a timeout, 5xx, slow down: the same call may pass later."""


class StoreRefusedError(StorageError, MisuseError):
    """Wrong credentials, no such bucket, a clock too far off: a person must mend the configuration."""


class ObjectMissingError(StorageError, PeerError):
    """There is no object of this name."""


class ObjectConflictError(StorageError, PeerError):
    """An object of this name exists and is another one. It is never overwritten; somebody must look."""


class DigestError(StorageError, PeerError):
    """What was sent does not have the stated hash: the bytes were damaged before or while they were sent."""


class StoreProtocolError(StorageError, PeerError):
    """The store answered something that makes no sense in S3."""
