"""Errors of masking."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError


class ModelMissingError(MisuseError):
    """OpenCV or the file of the face detector is not installed, or cannot be used."""


class TracksError(MisuseError):
    """A text holds no tracks, or tracks of another clip."""


class ClipRefusedError(PeerError):
    """A clip cannot be masked: it is damaged, or beyond a limit."""


class MaskingAwayError(RetryableError):
    """The masking process cannot be started."""
