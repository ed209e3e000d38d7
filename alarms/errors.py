"""The errors of alarms."""

from __future__ import annotations

from domain.errors import PeerError, RetryableError, TallenneError


class AlarmError(TallenneError):
    """The base of the errors of alarms."""


class ChannelAwayError(AlarmError, RetryableError):
    """The mail server or the webhook did not accept the message; a later attempt may succeed."""


class ChannelRefusedError(AlarmError, PeerError):
    """The mail server or the webhook refused this message for good."""
