"""The error of reading and writing MP4."""

from __future__ import annotations

from domain.errors import PeerError, StorageError


class Mp4Error(StorageError, PeerError):
    """The bytes are not boxes as our recorder writes them."""
