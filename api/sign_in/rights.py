"""Who may do what, in one place. Deny by default: a role that is not named here for an action does not have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

LOOK: Final = ("viewer", "exporter")
EXPORT: Final = ("exporter",)
APPROVE: Final = ("exporter", "admin")
"""Approving an export, never one's own."""
CASES: Final = ("exporter", "admin")
"""Opening cases, keeping footage for them, and ending them with a second person."""
ERASE: Final = ("exporter", "admin")
"""Ordering that footage is erased before its time."""
ERASE_APPROVE: Final = ("admin",)
"""Approving or refusing that, never one's own."""
MEMBERS: Final = ("viewer", "exporter", "admin")
"""Searching the members' register, with a purpose."""
INVENTORY: Final = ("viewer", "exporter", "admin")
"""Cameras and doors with their health; neither members nor footage."""
AUDIT: Final = ("auditor", "admin")
OPERATE: Final = ("admin",)
"""The health of the parts of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role at one site or camera; None: at all of them."""

    role: str
    site_id: UUID | None
    camera_id: UUID | None


def has_any(grants: Iterable[Grant], roles: tuple[str, ...]) -> bool:
    """Whether one of ``roles`` is held anywhere."""
    return any(grant.role in roles for grant in grants)


def has_everywhere(grants: Iterable[Grant], roles: tuple[str, ...]) -> bool:
    """Whether one of ``roles`` is held without a limit."""
    return any(grant.role in roles and grant.site_id is None and grant.camera_id is None for grant in grants)
