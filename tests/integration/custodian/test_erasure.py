"""Early erasure against a real database: who decides, what goes, what stays, and crashes at every step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from custodian.asking import Asker
from custodian.erasure.orders import NewErasure
from custodian.errors import CustodianMisuseError, LookRefusedError
from custodian.holds.holds import NewHold
from domain.ids import CameraId
from domain.time import DAY_NS, HOUR_NS, NS, Span
from storage.catalogue.certificates import check_chain, read_certificates
from tests.conftest import Database
from tests.support.footage.custodian import Recorded, Staff, add_staff
from tests.support.footage.past import Past, past

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(database: Database, tmp_path: Path) -> AsyncIterator[Past]:
    async with past(database.owner, database.custodian, tmp_path, back_h=60) as made:
        yield made


async def person(gym: Past, *roles: str) -> Asker:
    """A person of the staff; ``signed_in`` before each word."""
    staff: Staff = await add_staff(gym.owner, roles=roles or ("admin",))
    return Asker(session_id=staff.session_id, purpose_id=staff.purpose_id)


async def signed_in(gym: Past, *people: Asker) -> None:
    for who in people:
        await gym.owner.execute(
            "UPDATE staff_session SET created_ns = $2, seen_ns = $2, stepped_up_ns = $2 WHERE session_id = $1",
            who.session_id,
            gym.clock.now_ns,
        )


def around(segments: Sequence[Recorded]) -> Span:
    return Span(segments[0].span.start_ns, segments[-1].span.end_ns)


async def asked(gym: Past, camera_id: CameraId, span: Span, asker: Asker) -> UUID:
    await signed_in(gym, asker)
    return await gym.orders.ask(NewErasure(reason="a test", cameras=[camera_id], span=span), asker)


async def erased(gym: Past, camera_id: CameraId, segments: Sequence[Recorded], later_h: int = 26) -> UUID:
    """Order, approve, and wait until no recorder is waited for; nothing is replaced yet."""
    anna, berit = await person(gym, "exporter"), await person(gym)
    gym.clock.now_ns += later_h * HOUR_NS
    erasure_id = await asked(gym, camera_id, around(segments), anna)
    await signed_in(gym, berit)
    assert await gym.orders.approve(erasure_id, berit) == len(segments)
    return erasure_id


async def state_of(gym: Past, erasure_id: UUID) -> str:
    return str(await gym.owner.fetchval("SELECT state FROM erasure WHERE erasure_id = $1", erasure_id))


async def open_case(gym: Past) -> UUID:
    case_id = uuid4()
    await gym.owner.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        " VALUES ($1, $2, 'a case', 'a theft', $3, 0, 0)",
        case_id,
        str(case_id),
        uuid4(),
    )
    return case_id


async def test_erased_segments_open_nowhere_and_their_neighbours_do(gym: Past) -> None:
    camera, other = await gym.camera(48), await gym.camera(48)
    segments, beside = await gym.record(camera, 6), await gym.record(other, 2)
    for table in ("hour_key", "segment", "segment_identity", "wrap_record"):
        await gym.owner.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
    erasure_id = await erased(gym, camera, segments[2:4])
    assert await gym.opens(segments) == 6  # by the header of an object whose row is ignored: its key still lives
    rows = await gym.opener.open_for_verify([one.segment_id for one in segments], "test")
    assert len(rows) == 4
    assert await gym.erasures.run_once() == 1
    assert await state_of(gym, erasure_id) == "done"
    assert await gym.opens(segments[2:4]) == 0
    assert await gym.opens([*segments[:2], *segments[4:], *beside]) == 6
    (certificate,) = await read_certificates(gym.owner, 0, 10)
    check_chain([certificate], gym.custody.signer)
    said = certificate.said()
    assert (said["kind"], said["segments"], said["camera_hours"]) == ("erasure", 2, 1)
    assert [order["erasure_id"] for order in said["orders"]] == [str(erasure_id)]
    gaps = await gym.owner.fetch("SELECT start_ns, end_ns, cause FROM gap ORDER BY start_ns")
    assert [tuple(row) for row in gaps] == [(one.span.start_ns, one.span.end_ns, "erased") for one in segments[2:4]]
    # The rows of a backup, put back beside today's keyring.
    for table in ("segment", "hour_key"):
        await gym.owner.execute(f"DELETE FROM {table}" if table == "segment" else "SELECT")
        await gym.owner.execute(f"INSERT INTO {table} SELECT * FROM kept_{table} ON CONFLICT DO NOTHING")
    assert await gym.opens(segments[2:4]) == 0


async def test_survivors_end_at_their_hour_with_the_key_that_took_the_place(gym: Past) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 4)
    await erased(gym, camera, segments[:1])
    await gym.erasures.run_once()
    gym.clock.now_ns = gym.start_ns + 49 * HOUR_NS - 1
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 3
    gym.clock.now_ns += 1
    await gym.expiry.confirm(gym.clock.now_ns, 99, "operator:0")
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 0
    states = await gym.owner.fetch("SELECT DISTINCT state FROM segment")
    assert [row["state"] for row in states] == ["expiring"]
    certificates = await read_certificates(gym.owner, 0, 10)
    check_chain(certificates, gym.custody.signer)
    assert [one.kind for one in certificates if one.said()["segments"]] == ["erasure", "expiry"]


async def test_second_erasure_in_the_same_hour_takes_only_its_own(gym: Past) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 5)
    await erased(gym, camera, segments[:1])
    await gym.erasures.run_once()
    await erased(gym, camera, segments[3:4], later_h=1)
    await gym.erasures.run_once()
    assert await gym.opens([segments[0], segments[3]]) == 0
    assert await gym.opens([segments[1], segments[2], segments[4]]) == 3
    assert await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE erased AND certificate IS NOT NULL") == 2


@pytest.mark.parametrize("kind", ["hold", "restriction", "clip"])
async def test_what_a_case_keeps_is_not_erased_and_the_refusal_says_why(gym: Past, kind: str) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 4)
    anna, berit = await person(gym), await person(gym)
    case_id = await open_case(gym)
    await signed_in(gym, anna, berit)
    kept = Span(segments[1].span.end_ns - NS, segments[1].span.end_ns)
    if kind == "clip":
        staff_id = await gym.owner.fetchval("SELECT staff_id FROM staff LIMIT 1")
        await gym.owner.execute(
            "INSERT INTO case_entry (case_id, kind, staff_id, added_ns, camera_id, start_ns, end_ns)"
            " VALUES ($1, 'clip', $2, 0, $3, $4, $5)",
            case_id,
            staff_id,
            camera,
            kept.start_ns,
            kept.end_ns,
        )
    else:
        await gym.holds.place(NewHold(case_id=case_id, kind=kind, camera_id=camera, span=kept), anna)
    gym.clock.now_ns += HOUR_NS
    # Not the held second itself: a segment is erased whole.
    touching = await asked(gym, camera, Span(segments[1].span.start_ns, segments[1].span.start_ns + NS), anna)
    beside = await asked(gym, camera, Span(segments[2].span.start_ns, segments[2].span.start_ns + NS), anna)
    await signed_in(gym, berit)
    refused = "a theft" if kind != "clip" else "does not wait"
    if kind == "clip":
        touching = await asked(gym, camera, segments[1].span, anna)
        refused = "a theft"
    with pytest.raises(CustodianMisuseError, match=refused):
        await gym.orders.approve(touching, berit)
    assert await state_of(gym, touching) == "asked"
    assert await gym.orders.approve(beside, berit) == 1
    gym.clock.now_ns += 26 * HOUR_NS
    await gym.erasures.run_once()
    assert await gym.opens(segments) == 3


async def test_two_people_decide(gym: Past) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 2)
    anna, berit, exporter, viewer = [await person(gym, role) for role in ("admin", "admin", "exporter", "viewer")]
    gym.clock.now_ns += HOUR_NS
    await signed_in(gym, anna, berit, exporter, viewer)
    with pytest.raises(LookRefusedError):
        await asked(gym, camera, around(segments), viewer)
    erasure_id = await asked(gym, camera, around(segments), anna)
    with pytest.raises(CustodianMisuseError, match="your own"):
        await gym.orders.approve(erasure_id, anna)
    with pytest.raises(CustodianMisuseError, match="your own"):
        await gym.orders.refuse(erasure_id, anna)
    with pytest.raises(LookRefusedError):
        await gym.orders.approve(erasure_id, exporter)  # orders, and does not approve
    with pytest.raises(CustodianMisuseError, match="not yours"):
        await gym.orders.cancel(erasure_id, berit)
    await gym.orders.refuse(erasure_id, berit)
    with pytest.raises(CustodianMisuseError):
        await gym.orders.approve(erasure_id, berit)
    other = await asked(gym, camera, around(segments), exporter)
    await gym.orders.cancel(other, exporter)
    assert [await state_of(gym, one) for one in (erasure_id, other)] == ["refused", "cancelled"]
    assert await gym.opens(segments) == 2
    actions = await gym.owner.fetch("SELECT action FROM audit_entry WHERE action LIKE 'erasure%' ORDER BY seq")
    assert [row["action"] for row in actions] == [
        "erasure_asked",
        "erasure_refused",
        "erasure_asked",
        "erasure_cancelled",
    ]


async def test_accounts_in_one_hand_are_one_person(gym: Past) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 2)
    anna, berit = await person(gym), await person(gym)
    gym.clock.now_ns += HOUR_NS
    erasure_id = await asked(gym, camera, around(segments), anna)
    ids = [
        await gym.owner.fetchval("SELECT staff_id FROM staff_session WHERE session_id = $1", who.session_id)
        for who in (berit, anna)
    ]
    await gym.owner.execute("INSERT INTO staff_handover VALUES ($1, $2, 'password', $3)", *ids, gym.clock.now_ns)
    await signed_in(gym, berit)
    with pytest.raises(CustodianMisuseError, match="one hand"):
        await gym.orders.approve(erasure_id, berit)
    gym.clock.now_ns += 3 * DAY_NS + 1
    await signed_in(gym, berit)
    assert await gym.orders.approve(erasure_id, berit) == 2
