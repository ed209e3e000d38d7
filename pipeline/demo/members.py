"""Imports the simulated members; one of them has an address of e-mail, to try the members' pages with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from indexer.members.importing import import_members
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from runtime.database import connect, open_pool
from storage.access import search_members
from storage.register import Field, Source, keep, present

EMAIL: Final = "member@demo.example"
_NUMBER: Final = "100001"


async def import_demo_members(settings: RoleSettings, installation: Installation, say: Callable[[str], None]) -> None:
    """The simulated members; again is harmless."""
    async with open_pool(settings.database("index"), application_name="members") as pool:
        report = await import_members(pool, installation.root / "demo" / "members.csv")
    say(f"  members: {report.lines} in the list, {report.members_new} new")


async def ensure_demo_email(settings: RoleSettings) -> None:
    """Give one member an address, unless they have one."""
    conn = await connect(settings.database("owner"))
    try:
        found, *_ = await search_members(conn, _NUMBER, 1)
        known = (await present(conn, [found.member_id], [Field.EMAIL]))[found.member_id]
        if not known:
            values, now_ns = {Field.EMAIL: EMAIL}, time.time_ns()
            async with conn.transaction():
                await keep(conn, found.member_id, values, source=Source.IMPORT, staff_id=None, now_ns=now_ns)
    finally:
        await conn.close()
