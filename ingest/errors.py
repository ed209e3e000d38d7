"""Faults of cameras. Messages name the camera's address without credentials."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, TallenneError
from domain.footage import GapCause


class IngestError(TallenneError):
    """The base. ``cause``: the cause of a gap that follows from the error."""

    cause = GapCause.UNREACHABLE


class CameraAwayError(IngestError, RetryableError):
    """The camera cannot be connected to, or the connection broke."""


class CameraStalledError(IngestError, RetryableError):
    """The camera is connected but has sent nothing to record for too long."""

    cause = GapCause.STALLED


class CameraRefusedError(IngestError, MisuseError):
    """The camera refuses to send footage: wrong password, no such stream."""

    cause = GapCause.REFUSED


class AddressRefusedError(IngestError, MisuseError):
    """The camera's address is not in a network that cameras may be in."""

    cause = GapCause.REFUSED


class StreamError(IngestError, PeerError):
    """The camera sends something that cannot be recorded: another codec, broken parameter sets, a broken protocol."""

    cause = GapCause.REFUSED


class RedirectedError(IngestError):
    """The camera redirects to ``url``, another address on the same host; without credentials."""

    def __init__(self, url: str) -> None:
        super().__init__("it redirects elsewhere.", "Name its new address in the configuration.")
        self.url = url
