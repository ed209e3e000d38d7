"""Errors of the role `live`, and of those who ask it."""

from __future__ import annotations

from domain.errors import MisuseError, RetryableError, TallenneError


class LiveAwayError(RetryableError):
    """The role `live` does not answer."""


class SocketError(MisuseError):
    """A path of a socket is taken, or another user listens there."""


class FrameError(TallenneError):
    """The other side of a socket sends something other than frames."""


class ConversionsFullError(RetryableError):
    """The limit of cameras that are converted at once is reached."""


class OfferError(TallenneError):
    """A browser's offer cannot be taken: it is damaged, or asks for no video."""


class ConversionBrokenError(TallenneError):
    """A process that converted footage died of it, or did not go on."""
