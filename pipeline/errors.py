"""Errors of setting Tallenne up and starting it."""

from __future__ import annotations

from domain.errors import MisuseError, RetryableError


class SetupError(MisuseError):
    """The machine, the data directory or the way it was started does not fit."""


class ServiceError(RetryableError):
    """An embedded service did not start, or ended."""
