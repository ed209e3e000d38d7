"""The demo's errors."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, TallenneError


class DemoError(TallenneError):
    """The base of the errors of the simulated gym."""


class DemoMisuseError(DemoError, MisuseError):
    """The demo cannot draw, encode or replay what was requested."""


class BadRequestError(DemoError, PeerError):
    """An RTSP client sent an invalid request."""
