"""The demo's errors."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, TallenneError


class DemoError(TallenneError):
    """Anything that went wrong in the simulated gym."""


class DemoMisuseError(DemoError, MisuseError):
    """Asked for something that the demo cannot draw, encode or replay."""


class BadRequestError(DemoError, PeerError):
    """An RTSP client sent what is no request."""
