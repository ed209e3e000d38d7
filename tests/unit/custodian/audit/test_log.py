"""Reading the chain: in batches to its end, on from a known entry, and never past one that is gone."""

from __future__ import annotations

import hashlib

import pytest

from custodian.audit.chain import START, ChainEntry
from custodian.audit.log import batches, grown, require
from custodian.errors import BrokenAuditError
from tests.support.database.trail import Trail


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 9])
async def test_long_chain_is_read_in_batches_to_its_end(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custodian.audit.log.BATCH", 4)
    trail = Trail(count)
    read = [entry async for some in batches(trail, 4) for entry in some]
    assert read == [ChainEntry(**entry) for entry in trail.entries]
    for known in range(count + 1):
        assert await grown(trail, trail.link(known)) == trail.link(count)


async def test_chain_that_has_not_grown_costs_one_query() -> None:
    trail = Trail(9)
    assert await grown(trail, trail.link(9)) == trail.link(9)
    assert trail.queries == 1


@pytest.mark.parametrize("known", [1, 3, 5])
async def test_known_entry_that_is_gone_changed_or_rewritten_is_refused(known: int) -> None:
    for how in ("removed", "cut", "changed", "hashed anew", "rewritten"):
        trail = Trail(5)
        link = trail.link(known)
        await require(trail, link)
        assert await grown(trail, link) == trail.link(5)  # positive control
        if how == "removed":
            trail.remove(known, known)
        elif how == "cut":
            trail.remove(known, 5)
        elif how == "rewritten":
            trail.rewrite(known)
        else:
            trail.change(known, hashed=how == "hashed anew")
        for look in (grown, require):
            with pytest.raises(BrokenAuditError, match=f"entry {known} "):
                await look(trail, link)


async def test_fault_after_the_known_entry_is_found() -> None:
    trail = Trail(5)
    known = trail.link(3)
    trail.change(5)
    with pytest.raises(BrokenAuditError, match="entry 5 was changed"):
        await grown(trail, known)
    trail = Trail(5)
    trail.entries[3]["previous"] = bytes(32)
    trail.entries[3]["hash"] = hashlib.sha256(bytes(32) + b"line 4").digest()
    with pytest.raises(BrokenAuditError, match="entry 4 does not follow"):
        await grown(trail, trail.link(3))


async def test_start_is_before_every_chain() -> None:
    await require(Trail(), START)
    assert await grown(Trail(), START) == START
