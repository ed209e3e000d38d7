"""What was erased early opens by no means, and what shares its hour opens all the same; the figures are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.holds.holds import NewHold
from custodian.journal import JournalKeeper
from custodian.keys.private_keys import hour_private
from domain.ids import SegmentId
from domain.time import HOUR_NS
from runtime.settings import StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from storage.journal import JournalKind, JournalRecord, JournalWriter, list_journal, read_records
from storage.sealed import RefusedError
from storage.sealed.format import parse_header
from storage.sealed.unwrap import open_header
from storage.store import ObjectStore
from tests.integration.custodian.test_erasure import around, asked, open_case, person, signed_in
from tests.support.faults.copied import Copied, copied
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past

pytestmark = pytest.mark.services

SEGMENTS, GONE, HELD = 12, slice(3, 6), slice(8, 10)


async def test_erased_footage_opens_by_no_means(
    store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    async with copied(store, keeper_store, tmp_path) as made:
        gym, objects, signer = made.gym, made.objects, made.gym.custody.signer
        gym.journal = JournalKeeper(gym.pool, JournalWriter(objects, signer, gym.custody.signing.sign))
        gone, living, elsewhere = await recorded(made)
        await gym.backed_up()
        await made.copy()
        await decided(gym, gone)
        await gym.erasures.run_once()
        await gym.backed_up()
        figures = {
            "erased_segments": len(gone),
            "removed": await made.keeper.run_once(),
            "opened": await gym.opens(gone),
            "opened_from_the_journals_keys": await opened_by_journal(gym, objects, gone),
            "controls_from_the_journals_keys": await opened_by_journal(gym, objects, elsewhere),
            "controls": await gym.opens(living),
            "controls_elsewhere": await gym.opens(elsewhere),
        }
        figures["opened_from_files_and_log"], figures["controls_from_copy"] = await made.open_from_files(
            gone, elsewhere
        )
        figures["opened_after_restored_rows"] = await made.open_with_rows(gone)
        certificates = await read_certificates(gym.owner, 0, 1000)
        check_chain(certificates, signer)
    print(json.dumps(figures))
    assert {value for name, value in figures.items() if name.startswith("opened")} == {0}
    assert figures["erased_segments"] == figures["removed"] == 3
    assert figures["controls"] == len(living) == SEGMENTS - 3
    assert figures["controls_elsewhere"] == figures["controls_from_copy"] == len(elsewhere) > 0
    assert figures["controls_from_the_journals_keys"] == len(elsewhere)
    assert [one.kind for one in certificates] == ["erasure"]


async def recorded(made: Copied) -> tuple[list[Recorded], list[Recorded], list[Recorded]]:
    """What will be erased, what shares its hour, some of it held, and another camera's footage of another end."""
    gym = made.gym
    camera, other = await gym.camera(48), await gym.camera(50)
    segments, elsewhere = await gym.record(camera, SEGMENTS), await gym.record(other, 3)
    for one, found in ((camera, segments), (other, elsewhere)):
        await made.put(one, found)
    anna = await person(gym)
    await signed_in(gym, anna)
    case = await open_case(gym)
    span = around(segments[HELD])
    await gym.holds.place(NewHold(case_id=case, kind="hold", camera_id=camera, span=span), anna)
    gone = segments[GONE]
    return gone, [one for one in segments if one not in gone], elsewhere


async def decided(gym: Past, gone: Sequence[Recorded]) -> None:
    anna, berit = await person(gym, "exporter"), await person(gym)
    gym.clock.now_ns += 26 * HOUR_NS
    order = await asked(gym, gone[0].camera_id, around(gone), anna)
    await signed_in(gym, berit)
    assert await gym.orders.approve(order, berit) == len(gone)


async def opened_by_journal(gym: Past, objects: ObjectStore, segments: Sequence[Recorded]) -> int:
    """With every private half in every record of the bucket's journal, and the keyring of now."""
    listing = await list_journal(objects)
    opened = set[SegmentId]()
    async for record in read_records(objects, listing.of(JournalKind.HOUR_KEY), {gym.custody.signer}):
        assert isinstance(record, JournalRecord)
        for said in record.rows:
            ids = {name: UUID(said[name]) for name in ("hour_key_id", "site_id", "camera_id")}
            keys = {name: bytes.fromhex(said[name].removeprefix("\\x")) for name in ("public_key", "sealed_private")}
            private = await hour_private(gym.custody.keyring, {**said, **ids, **keys})
            if private is not None:
                opened |= {one.segment_id for one in segments if _opens(one, private)}
    return len(opened)


def _opens(one: Recorded, private: X25519PrivateKey) -> bool:
    try:
        open_header(parse_header(one.data[:210]), private, {})
    except RefusedError:
        return False
    return True
