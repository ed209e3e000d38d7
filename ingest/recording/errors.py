"""Errors of recording."""

from __future__ import annotations

from domain.errors import MisuseError, StorageError


class AccountedError(StorageError, MisuseError):
    """A segment would begin in time that footage or a gap already covers: spans never overlap."""
