"""Errors of the sealed format. Whatever is wrong with an object, its reader learns one thing only: refused."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError
from runtime.errors import StorageError


class RefusedError(StorageError, PeerError):
    """The object is not what was sealed, or the key is not its key. Deliberately without detail or cause.

    Raise it outside of ``except`` blocks, so that it carries no context either.
    """

    def __init__(self) -> None:
        super().__init__("The sealed segment is refused.")


class WrongKeyError(StorageError, MisuseError):
    """Our own code offers an hour key outside its camera or its hour."""


class SegmentFullError(StorageError, MisuseError):
    """More plaintext than 2^16 chunks hold: the segmenter must cut long before."""
