"""A chain that goes on after a restoration names the lost entries; only the custodian can sign that they are lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import RESUMED, START, follow
from custodian.audit.log import grown, require
from custodian.audit.resume import resume
from custodian.audit.verify import Examination
from custodian.errors import BrokenAuditError
from runtime import sql
from tests.support.database.trail import SIGNER, SIGNING, Trail


class Restored(Trail):
    """A table that takes the entry."""

    async def execute(self, statement: str, seq: int, at_ns: int, previous: bytes, detail: str) -> None:
        assert statement == sql.load("custodian.audit", "resume_chain")
        fields = [str(seq), str(at_ns), "owner", "operator", RESUMED, "", "", "", "", "", "", detail]
        self.put(seq, previous, "\x1f".join(fields).encode())


def cut(count: int, left: int) -> tuple[Restored, list[Any]]:
    """A chain of ``count`` whose end was lost, and all heads."""
    trail = Restored(count)
    heads = trail.heads(*range(1, count + 1))
    trail.remove(left + 1, count)
    return trail, heads


async def test_chain_goes_on_behind_the_newest_head_and_the_loss_is_said() -> None:
    trail, heads = cut(10, 6)
    assert await resume(trail, heads, SIGNING, now_ns=9) == 4
    trail.append(3)
    assert [entry["seq"] for entry in trail.entries] == [1, 2, 3, 4, 5, 6, 11, 12, 13, 14]
    assert follow(trail.chain(), signer=SIGNER) == trail.link(14)
    assert await grown(trail, START, signer=SIGNER) == trail.link(14)
    await require(trail, heads[-1].link)
    assert await grown(trail, heads[-1].link, signer=SIGNER) == trail.link(14)
    examined = Examination({"file": heads, "bucket": heads}, SIGNER, now_ns=100)
    examined.push(trail.chain())
    assert examined.finish() == []
    assert examined.lost == [(7, 10)]
    assert await resume(trail, heads, SIGNING, now_ns=9) == 0


async def test_whole_chain_is_left_alone() -> None:
    trail, heads = cut(10, 10)
    assert await resume(trail, heads, SIGNING, now_ns=9) == 0
    assert len(trail.entries) == 10


async def test_empty_database_is_resumed_too() -> None:
    trail, heads = cut(5, 0)
    assert await resume(trail, heads, SIGNING, now_ns=9) == 5
    assert follow(trail.chain(), signer=SIGNER) == trail.link(6)


@pytest.mark.parametrize("how", ["another key", "other entries", "no signature", "more removed"])
async def test_only_the_custodian_can_say_that_entries_are_lost(how: str) -> None:
    """Who may write the table removes entries and says that a restoration lost them."""
    trail, heads = cut(10, 6)
    if how == "another key":
        other = Ed25519PrivateKey.generate()
        signature = other.sign(b"x").hex()
        detail = json.dumps({"signature": signature})
        await trail.execute(sql.load("custodian.audit", "resume_chain"), 11, 9, heads[-1].link.hash, detail)
    elif how == "no signature":
        await trail.execute(sql.load("custodian.audit", "resume_chain"), 11, 9, heads[-1].link.hash, "{}")
    else:
        await resume(trail, heads, SIGNING, now_ns=9)
        if how == "more removed":
            trail.remove(6, 6)
        else:
            trail.change(6, hashed=True)
    with pytest.raises(BrokenAuditError):
        follow(trail.chain(), signer=SIGNER)
    examined = Examination({"file": heads, "bucket": heads}, SIGNER, now_ns=100)
    examined.push(trail.chain())
    assert examined.finish()


async def test_head_of_somebody_else_resumes_nothing() -> None:
    trail, heads = cut(10, 6)
    with pytest.raises(BrokenAuditError):
        await resume(trail, heads, Ed25519PrivateKey.generate(), now_ns=9)
