"""A gym with footage, as for the tests of exports, and browsers before it."""

from __future__ import annotations

from tests.browser.export.office_desk import app, footage, gym, office, office_desk

__all__ = ["app", "footage", "gym", "office", "office_desk"]
