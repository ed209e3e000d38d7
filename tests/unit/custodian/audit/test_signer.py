"""Signing: a head before the look, in every place, on from what is remembered, and an alarm for whatever was lost."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, SignedHead
from custodian.audit.signer import HeadSigner
from custodian.audit.verify import Examination
from custodian.errors import BrokenAuditError, CustodianAwayError
from storage.store.errors import StoreAwayError
from tests.support.database.trail import SIGNER, SIGNING, Shelf, Trail, signed

pytestmark = pytest.mark.trust
AWAY = StoreAwayError("The object store does not answer.")
FULL = OSError(28, "No space left on device")


class Stand:
    """A trail, two places, and signers that come and go; ``new``: the installation has never signed."""

    def __init__(self, count: int = 0, *, new: bool = True) -> None:
        self.trail, self.file, self.bucket = Trail(count), Shelf("The file"), Shelf("The bucket")
        self.new = new
        self.now_ns = 100

    def signer(self) -> HeadSigner:
        def begin() -> None:
            self.new = False

        return HeadSigner(
            self.trail,
            SIGNING,
            (self.file, self.bucket),
            clock_ns=lambda: self.now_ns,
            begun=lambda: not self.new,
            begin=begin,
        )

    async def round(self, signer: HeadSigner) -> None:
        await signer.run_once()
        for place in (self.file, self.bucket):
            await signer.pass_on(place)

    async def begun(self) -> HeadSigner:
        signer = self.signer()
        await self.round(signer)
        return signer

    def numbers(self) -> tuple[list[int], list[int]]:
        return [head.link.seq for head in self.file.held], [head.link.seq for head in self.bucket.held]

    def findings(self) -> list[str]:
        heads = {place.name: place.held for place in (self.file, self.bucket)}
        examined = Examination(heads, SIGNER, now_ns=1 << 60)
        examined.push(self.trail.chain())
        return [one.kind for one in examined.finish()]


@pytest.mark.parametrize("count", [0, 3])
async def test_new_installation_signs_its_first_head_in_every_place(count: int) -> None:
    stand = Stand(count)
    signer = await stand.begun()
    assert stand.numbers() == ([count], [count])
    assert signer.signed == stand.trail.link(count)
    assert not stand.new
    assert not await signer.run_once()
    assert stand.findings() == []


async def test_head_is_signed_when_the_chain_has_grown() -> None:
    stand = Stand(3)
    signer = await stand.begun()
    stand.trail.append(2)
    stand.now_ns = 200
    assert await signer.run_once()
    await stand.round(signer)
    assert stand.numbers() == ([3, 5], [3, 5])
    assert stand.file.held[-1].signed_ns == 200
    for head in stand.file.held:
        head.check(SIGNER)


async def test_cover_returns_with_the_head_in_a_place() -> None:
    stand = Stand()
    signer = await stand.begun()
    for number in range(1, 4):
        await signer.cover(stand.trail.append())
        assert stand.numbers() == ([0, *range(1, number + 1)], [0])  # the bucket follows within a second
    await signer.pass_on(stand.bucket)
    assert stand.numbers()[1] == [0, 3]
    await signer.cover(2)
    assert len(stand.file.held) == 4


async def test_looks_that_arrive_together_share_a_head() -> None:
    stand = Stand()
    signer = await stand.begun()
    await asyncio.gather(*(signer.cover(stand.trail.append()) for _ in range(50)))
    assert signer.signed.seq == 50
    assert len(stand.file.held) <= 3


async def test_head_goes_to_the_other_place_when_the_first_takes_none() -> None:
    stand = Stand()
    signer = await stand.begun()
    stand.file.fault = FULL
    await signer.cover(stand.trail.append())
    assert stand.numbers() == ([0], [0, 1])
    with pytest.raises(OSError, match="No space"):
        await signer.pass_on(stand.file)
    stand.bucket.fault = AWAY
    with pytest.raises(CustodianAwayError, match="cannot be kept"):
        await signer.cover(stand.trail.append())
    stand.file.fault = stand.bucket.fault = None
    await stand.round(signer)
    assert stand.numbers() == ([0, 2], [0, 1, 2])


async def test_start_goes_on_from_the_newest_head() -> None:
    stand = Stand(3)
    await stand.begun()
    stand.trail.append()
    await stand.begun()
    await stand.begun()
    assert stand.numbers() == ([3, 4], [3, 4])


@pytest.mark.parametrize("change", ["rolled back", "rewritten", "emptied", "changed"])
async def test_database_that_lost_its_signed_head_is_noticed_running_and_at_the_next_start(change: str) -> None:
    stand = Stand(5)
    running = await stand.begun()
    if change == "rolled back":
        stand.trail.remove(5, 5)
    elif change == "rewritten":
        stand.trail.rewrite(2)
    elif change == "changed":
        stand.trail.change(5)
    else:
        stand.trail.remove(1, 5)
    for signer in (running, stand.signer()):
        with pytest.raises(BrokenAuditError, match="entry 5 "):
            await signer.run_once()
        await signer.cover(6)  # the alarm is on; looks stay possible
    assert stand.numbers() == ([5], [5])  # nothing was signed since
    assert stand.findings()


@pytest.mark.parametrize("lost", ["file", "bucket"])
async def test_place_that_lost_its_heads_is_an_alarm_until_they_are_restored(lost: str) -> None:
    stand = Stand(2)
    await stand.begun()
    place: Shelf = getattr(stand, lost)
    place.held.clear()
    stand.trail.append()
    signer = stand.signer()
    await signer.run_once()
    for _ in range(2):
        with pytest.raises(BrokenAuditError, match="holds no signed heads"):
            await signer.pass_on(place)
    assert place.held == []
    assert stand.findings()
    assert await signer.restore() > 0
    await stand.round(signer)
    assert stand.findings() == []


async def test_no_place_with_heads_is_an_alarm_although_the_database_is_there() -> None:
    stand = Stand(2, new=False)
    signer = stand.signer()
    with pytest.raises(BrokenAuditError, match="No place holds"):
        await signer.run_once()
    assert await signer.restore() == 0


async def test_file_and_database_cut_alike_are_noticed_by_the_bucket() -> None:
    stand = Stand(5)
    await stand.begun()
    stand.trail.append(3)
    await stand.begun()
    stand.file.held.pop()
    stand.trail.remove(6, 8)
    signer = stand.signer()
    await signer.run_once()
    for _ in range(2):
        with pytest.raises(BrokenAuditError, match="entry 8 is no longer"):
            await signer.pass_on(stand.bucket)
    assert stand.findings() == ["behind", "missing"]


async def test_file_that_was_cut_alone_is_brought_up_to_date_from_what_the_bucket_remembers() -> None:
    stand = Stand(5)
    await stand.begun()
    stand.trail.append(3)
    await stand.begun()
    stand.file.held.pop()
    signer = stand.signer()
    await stand.round(signer)
    assert signer.signed.seq == 8
    assert stand.numbers()[0] == [5, 8]


async def test_store_that_is_away_at_the_start_is_compared_when_it_is_back() -> None:
    stand = Stand(5)
    await stand.begun()
    stand.bucket.fault = AWAY
    signer = stand.signer()
    await signer.cover(stand.trail.append())
    with pytest.raises(StoreAwayError):
        await signer.pass_on(stand.bucket)
    stand.bucket.fault = None
    await stand.round(signer)
    assert stand.numbers() == ([5, 6], [5, 6])


async def test_new_installation_without_its_store_begins_when_the_store_is_there() -> None:
    stand = Stand()
    stand.bucket.fault = AWAY
    signer = stand.signer()
    await signer.run_once()
    await signer.pass_on(stand.file)
    assert stand.new
    again = stand.signer()
    await again.run_once()
    stand.bucket.fault = None
    await again.pass_on(stand.bucket)
    assert not stand.new
    assert stand.numbers() == ([0], [0])


@pytest.mark.parametrize("lost", ["file", "bucket"])
async def test_head_that_the_custodian_did_not_sign_is_refused_at_the_start(lost: str) -> None:
    """Whoever rewrites the chain and a place would have the signer go on behind the rewritten part."""
    stand = Stand(5)
    await stand.begun()
    place: Shelf = getattr(stand, lost)
    stand.trail.append(2)
    forged: SignedHead = signed(stand.trail.link(7), Ed25519PrivateKey.generate())
    place.held.append(forged)
    with pytest.raises(BrokenAuditError, match="not the custodian's"):
        await stand.begun()
    assert place.held[-1] == forged
    with pytest.raises(BrokenAuditError, match="not the custodian's"):
        await stand.signer().restore()


async def test_old_part_of_the_chain_is_followed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("signer", "log"):
        monkeypatch.setattr(f"custodian.audit.{module}.BATCH", 4)
    stand = Stand(9)
    signer = await stand.begun()
    for _ in range(6):  # three batches a time
        await signer.sweep()
    stand.trail.change(6)
    await signer.sweep()
    for _ in range(2):
        with pytest.raises(BrokenAuditError, match="entry 6 was changed"):
            await signer.sweep()


async def test_sweep_notices_a_chain_that_ends_before_what_is_remembered() -> None:
    stand = Stand(9)
    signer = await stand.begun()
    await signer.sweep()
    stand.trail.remove(8, 9)
    with pytest.raises(BrokenAuditError, match="entries 8 to 9 are missing"):
        await signer.sweep()
    assert signer.signed != START
