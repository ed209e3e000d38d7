"""Imports the simulated members."""

from __future__ import annotations

from collections.abc import Callable

from indexer.members.importing import import_members
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from runtime.database import open_pool


async def import_demo_members(settings: RoleSettings, installation: Installation, say: Callable[[str], None]) -> None:
    """The simulated members; again is harmless."""
    async with open_pool(settings.database("index"), application_name="members") as pool:
        report = await import_members(pool, installation.root / "demo" / "members.csv")
    say(f"  members: {report.lines} in the list, {report.members_new} new")
