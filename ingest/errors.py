"""What can go wrong with a camera. Messages name the camera's address without credentials."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, TallenneError
from domain.footage import GapCause


class IngestError(TallenneError):
    """The base. ``cause``: what a gap that comes of it is called."""

    cause = GapCause.UNREACHABLE


class CameraAwayError(IngestError, RetryableError):
    """No connection, or it broke."""


class CameraStalledError(IngestError, RetryableError):
    """Connected, but nothing that could be recorded came for too long."""

    cause = GapCause.STALLED


class CameraRefusedError(IngestError, MisuseError):
    """The camera answered, but not with footage: wrong password, no such stream."""

    cause = GapCause.REFUSED


class AddressRefusedError(IngestError, MisuseError):
    """The camera's address is not in a network that cameras may be in."""

    cause = GapCause.REFUSED


class StreamError(IngestError, PeerError):
    """The camera sends something that cannot be recorded: another codec, broken parameter sets, a broken protocol."""

    cause = GapCause.REFUSED


class RedirectedError(IngestError):
    """To another address on the same host. ``url``: where; without credentials."""

    def __init__(self, url: str) -> None:
        super().__init__("it redirects elsewhere.", "Name its new address in the configuration.")
        self.url = url
