"""Footage of a gym, as for the tests of exports."""

from __future__ import annotations

from tests.integration.api.test_exports import footage, gym

__all__ = ["footage", "gym"]
