"""Errors of the object store. No message contains a signature, a credential or a URL with a query."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import MisuseError, PeerError, RetryableError, StorageError


class StoreAwayError(StorageError, RetryableError):
    """No connection, a reset, a timeout, status 5xx or "slow down". The same call may succeed later."""


class StoreRefusedError(StorageError, MisuseError):
    """Wrong credentials, no such bucket, or a clock that differs too much. The operator has to correct it."""


class ObjectMissingError(StorageError, PeerError):
    """The bucket holds no object of this name."""


class ObjectConflictError(StorageError, PeerError):
    """Another object of this name exists. It is never overwritten; an operator has to look at it."""


class DigestError(StorageError, PeerError):
    """The bytes sent differ from the stated SHA-256: they were damaged on the disk or on the way."""


class StoreProtocolError(StorageError, PeerError):
    """The store's response violates HTTP or S3."""


@contextmanager
def network_errors() -> Iterator[None]:
    """Raise StoreAwayError in place of the errors of sockets, timeouts and HTTP framing."""
    try:
        yield
    except TimeoutError as exc:
        raise StoreAwayError("The object store is too slow or silent.", "Tallenne will try again.") from exc
    except (OSError, http.client.HTTPException) as exc:
        raise StoreAwayError(
            f"The object store does not answer ({type(exc).__name__}).", "Tallenne will try again."
        ) from exc
