"""What can be wrong with a box."""

from __future__ import annotations

from domain.errors import PeerError, StorageError


class Mp4Error(StorageError, PeerError):
    """These bytes are not boxes as our recorder writes them."""
