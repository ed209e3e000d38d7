"""Footage that is in the shadow of nothing: of a row that no recorder signed, or of one that is gone.

A commit hides nothing before a role has verified it (storage/claims). What hides all the same, since it came past the
custodian or went away later, `tallenne reconcile` finds here, and ``--repair`` shows the footage again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.recorders import read_recorders
from storage.catalogue.rows import segment_from_row
from storage.claims import Judge, as_signed, row_flaw

_PACKAGE: Final = "upkeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """How many rows hide footage though no enrolled recorder signed them, and how many are hidden by nothing."""

    forged: int = 0
    rows: int = 0


async def find_hidden(pool: asyncpg.Pool) -> Hidden:
    """Look, and change nothing."""
    with wrapped_errors():
        rivals = await pool.fetch(sql.load(_PACKAGE, "rivals_of_shadows"))
        hidden = await pool.fetchval(sql.load(_PACKAGE, "hidden_by_nothing"))
    recorders = await read_recorders(pool)
    rows = [as_signed(segment_from_row(row), rewrapped=row["rewrapped"]) for row in rivals]
    forged = sum(row_flaw(row, recorders) is not None for row in rows)
    return Hidden(forged=forged, rows=hidden)


async def show_hidden(pool: asyncpg.Pool) -> Hidden:
    """``pool``: of the owner's role. Refuse the forged, then settle anew what nothing hides. Repeatable.

    Returns what was refused, and what was hidden by nothing then.
    """
    judge = Judge(pool)
    await judge.run_once()
    with wrapped_errors():
        await pool.execute(sql.load(_PACKAGE, "claim_rivals"))
    await judge.run_once()
    with wrapped_errors():
        hidden = await pool.fetchval(sql.load(_PACKAGE, "contest_hidden"))
    await judge.run_once()
    return Hidden(forged=judge.refused, rows=hidden)
