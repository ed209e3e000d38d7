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
from pipeline.embedded.postgres import ROLES, Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from storage.catalogue.migrate import migrate
from storage.journal import JournalKind, JournalRecord, JournalWriter, list_journal, read_records
from storage.sealed import RefusedError
from storage.sealed.format import parse_header
from storage.sealed.unwrap import open_header
from storage.store import ObjectStore, open_store
from tests.faults.upkeep.test_forgetting import _put, _restored, as_role, copy_files, opened_in
from tests.integration.custodian.test_erasure import around, asked, open_case, person, signed_in
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past, past
from upkeep.keeper.removal import Removal

pytestmark = pytest.mark.services

SEGMENTS, GONE, HELD = 12, slice(3, 6), slice(8, 10)


async def test_erased_footage_opens_by_no_means(
    store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    directory = tmp_path / "pg"
    cluster = start_postgres(directory, log=tmp_path / "pg.log", durable=False)
    copy: Postgres | None = None
    try:
        await provision(cluster.settings(), dict.fromkeys(ROLES, "word"), "tallenne")
        await migrate(cluster.settings(database="tallenne"))
        async with (
            past(as_role(cluster, "owner"), as_role(cluster, "custodian"), tmp_path, back_h=60) as gym,
            open_pool(as_role(cluster, "keeper"), application_name="keeper", max_size=2) as pool,
            open_store(store) as objects,
            open_store(keeper_store) as keeper_objects,
        ):
            await objects.ensure_bucket()
            signer = gym.custody.signer
            gym.journal = JournalKeeper(gym.pool, JournalWriter(objects, signer, gym.custody.signing.sign))
            gone, living, elsewhere = await recorded(gym, objects)
            await gym.backed_up()
            await copy_files(cluster, directory, tmp_path / "copy")
            for table in ("hour_key", "segment"):
                name = table.removeprefix("hour_")
                await gym.owner.execute(f"CREATE TABLE kept_{name} AS SELECT * FROM {table}")
            await decided(gym, gone)
            await gym.erasures.run_once()
            await gym.backed_up()
            removed = await Removal(pool, keeper_objects, clock_ns=gym.clock).run_once()
            figures = {
                "erased_segments": len(gone),
                "removed": removed,
                "opened": await gym.opens(gone),
                "opened_from_the_journals_keys": await opened_by_journal(gym, objects, gone),
                "controls_from_the_journals_keys": await opened_by_journal(gym, objects, elsewhere),
                "controls": await gym.opens(living),
                "controls_elsewhere": await gym.opens(elsewhere),
            }
            (tmp_path / "copy").chmod(0o700)
            copy = start_postgres(tmp_path / "copy", log=tmp_path / "copy.log", durable=False)
            figures["opened_from_files_and_log"] = await opened_in(as_role(copy, "custodian"), gym, gone)
            figures["controls_from_copy"] = await opened_in(as_role(copy, "custodian"), gym, elsewhere)
            figures["opened_after_restored_rows"] = await _restored(gym, gone)
            check_chain(await read_certificates(gym.owner, 0, 1000), signer)
            kinds = [one.kind for one in await read_certificates(gym.owner, 0, 1000)]
    finally:
        for running in (copy, cluster):
            if running is not None:
                running.stop()
    print(json.dumps(figures))
    assert {value for name, value in figures.items() if name.startswith("opened")} == {0}
    assert figures["erased_segments"] == figures["removed"] == 3
    assert figures["controls"] == len(living) == SEGMENTS - 3
    assert figures["controls_elsewhere"] == figures["controls_from_copy"] == len(elsewhere) > 0
    assert figures["controls_from_the_journals_keys"] == len(elsewhere)
    assert kinds == ["erasure"]


async def recorded(gym: Past, objects: ObjectStore) -> tuple[list[Recorded], list[Recorded], list[Recorded]]:
    """What will be erased, what shares its hour, some of it held, and another camera's footage of another end."""
    camera, other = await gym.camera(48), await gym.camera(50)
    segments, elsewhere = await gym.record(camera, SEGMENTS), await gym.record(other, 3)
    for one, found in ((camera, segments), (other, elsewhere)):
        await _put(gym, objects, one, found)
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
