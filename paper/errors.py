"""Errors of making papers."""

from __future__ import annotations

from domain.errors import MisuseError


class PaperError(MisuseError):
    """A paper cannot be made, or what was published cannot be read."""
