"""What can be wrong with a asked for a clip."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, StorageError


class NoFootageError(StorageError, PeerError):
    """There is no footage in the span, or none that still opens. The gaps say why."""


class ClipTooLongError(StorageError, MisuseError):
    """More footage than one clip may hold."""
