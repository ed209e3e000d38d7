"""Errors of requests for clips."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, StorageError


class NoFootageError(StorageError, PeerError):
    """There is no footage in the span, or none that still opens. The gaps name the causes."""


class ClipTooLongError(StorageError, MisuseError):
    """More footage than one clip may hold."""
