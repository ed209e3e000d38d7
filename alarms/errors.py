"""The errors of alarms."""

from __future__ import annotations

from domain.errors import PeerError, RetryableError, TallenneError


class AlarmError(TallenneError):
    """Anything that went wrong in alarms."""


class ChannelAwayError(AlarmError, RetryableError):
    """The mail server or the webhook did not take the message; it may later."""


class ChannelRefusedError(AlarmError, PeerError):
    """The mail server or the webhook refused this message for good."""
