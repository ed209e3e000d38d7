"""Messages to rows, without a broker."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.time import DAY_NS, HOUR_NS, NS, Span, from_iso
from indexer.counters import Counters
from indexer.events.quarantine import Quarantine, expire, unpack
from indexer.events.receive import Receiver, load_names, load_sequence, load_skew
from indexer.events.rules import Rules
from indexer.mqtt.driver import Received
from indexer.settings import TopicRule
from storage.access import events, quarantined
from storage.keys.intake import open_sealed
from tests.support.doors.door_log import Gym, add_member, message, received

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS
INTAKE = X25519PrivateKey.generate()
KEY = INTAKE.public_key().public_bytes_raw()


class Desk:
    """A receiver and what it counted."""

    def __init__(self, pool: asyncpg.Pool, receiver: Receiver, counters: Counters) -> None:
        self.pool, self.receiver, self.counters = pool, receiver, counters

    async def take(self, *messages: Received, key: bytes | None = KEY) -> list[Received]:
        return await self.receiver.commit(self.pool, self.receiver.decode(messages), key)


async def make_desk(
    pool: asyncpg.Pool, gym: Gym, rows_max: int = 1000, rules: tuple[TopicRule, ...] | None = None
) -> Desk:
    names, counters = await load_names(pool), Counters()
    quarantine = Quarantine(names, rows_max=rows_max)
    await quarantine.count(pool)
    trackers = await load_skew(pool), await load_sequence(pool, "0")
    receiver = Receiver(Rules(rules or gym.rules), names, quarantine, trackers[0], counters, sequence=trackers[1])
    return Desk(pool, receiver, counters)


@pytest.fixture
async def desk(pool: asyncpg.Pool, gym: Gym) -> Desk:
    return await make_desk(pool, gym)


def granted(gym: Gym, event_id: str, at_ns: int = T, door: str = "front", **more: object) -> Received:
    late_ns = more.pop("late_ns", NS)
    assert isinstance(late_ns, int)
    return received(gym.topic(door), message(event_id, at_ns, **more), at_ns + late_ns)


async def reasons(owner: asyncpg.Connection) -> list[str]:
    return sorted(row["reason"] for row in await owner.fetch("SELECT reason FROM quarantine"))


async def test_credential_becomes_the_member_that_held_it_then(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    first = await add_member(owner, number="100", name="First")
    second = await add_member(owner, number="200", name="Second")
    await owner.execute("INSERT INTO credential VALUES ('04A1', $1, 0, $2)", first, T)
    await owner.execute("INSERT INTO credential VALUES ('04A1', $1, $2)", second, T)
    await desk.take(
        granted(gym, "1", T - 1_000_000, credential="04:a1"),
        granted(gym, "2", T, credential="04a1"),
        granted(gym, "3", T, member_id="100"),
        granted(gym, "4", T, member_id="200", credential="04A1"),
    )
    rows = await owner.fetch("SELECT member_id FROM access_event ORDER BY occurred_ns, received_ns, event_id")
    assert rows[0]["member_id"] == first
    assert sorted(row["member_id"] for row in rows[1:]) == sorted([second, first, second])
    assert desk.counters.committed == 4
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE kind = 'event'") == 4


async def test_event_of_nobody_is_kept_without_member(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    await desk.take(granted(gym, "1", kind="forced_open", direction=None))
    row = await owner.fetchrow("SELECT kind, member_id, direction FROM access_event")
    assert row is not None and tuple(row) == ("forced_open", None, None)


async def test_redelivery_is_one_event(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    await add_member(owner, number="100", name="First")
    one = granted(gym, "1", member_id="100")
    await desk.take(one, one, one._replace(dup=True))
    await desk.take(one._replace(retain=True, received_ns=one.received_ns + HOUR_NS))
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 1
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 1
    assert (desk.counters.committed, desk.counters.duplicates) == (1, 3)


async def test_redelivery_after_the_link_was_erased_is_still_a_duplicate(
    owner: asyncpg.Connection, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    await desk.take(granted(gym, "1", member_id="100"))
    await owner.execute("DELETE FROM member_identity")
    await desk.take(granted(gym, "1", member_id="100"))
    assert desk.counters.duplicates == 1
    assert await reasons(owner) == []


@pytest.mark.parametrize("together", [True, False])
async def test_event_id_that_begins_anew_is_not_taken_for_a_redelivery(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym, together: bool
) -> None:
    """A controller that counts from 1 after every reboot: its second event 1 is another event."""
    await add_member(owner, number="100", name="First")
    first, second = granted(gym, "1", member_id="100"), granted(gym, "1", T + HOUR_NS, member_id="100")
    for messages in [(first, second)] if together else [(first,), (second,)]:
        assert await desk.take(*messages) == []
    assert await reasons(owner) == ["event id seen before with another time"]
    assert (desk.counters.committed, desk.counters.duplicates, desk.counters.quarantined) == (1, 0, 1)
    mended = await make_desk(pool, replace(gym, ids_restart=True))
    await mended.take(second, second, first)  # the first was kept under its id alone, and comes again once
    assert (mended.counters.committed, mended.counters.duplicates) == (2, 1)
    await mended.take(second)
    assert mended.counters.duplicates == 2


async def test_two_receivers_with_the_same_messages_write_each_once(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    desks = [await make_desk(pool, gym) for _ in range(2)]
    messages = [granted(gym, str(n), T + n * NS, member_id="100") for n in range(300)]
    odd = [received(gym.topic("nowhere"), message(str(n), T), T) for n in range(20)]
    orders = [[*messages, *odd], [*reversed(odd), *reversed(messages)]]
    await asyncio.gather(
        *(
            desk.take(*order[n : n + 40])
            for desk, order in zip(desks, orders, strict=True)
            for n in range(0, len(order), 40)
        )
    )
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 300
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 300
    assert await owner.fetchval("SELECT sum(seen_count) FROM quarantine") == 40


async def test_what_is_not_understood_is_quarantined_with_its_reason(
    owner: asyncpg.Connection, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First", credentials=["A1"])
    await add_member(owner, number="200", name="Second")
    good = granted(gym, "9", member_id="100")
    await desk.take(
        received(gym.topic("front"), b"\xff\xfe", T),
        granted(gym, "1", door="cellar", member_id="100"),
        granted(gym, "2", credential="B2"),
        granted(gym, "3", member_id="300"),
        granted(gym, "4", credential="A1", member_id="200"),
        received(f"elsewhere/{gym.word}", b"{}", T),
        good,
    )
    assert await reasons(owner) == [
        "credential and number of different members",
        "native: payload is not UTF-8",
        "no rule for this topic",
        "unknown credential",
        "unknown door",
        "unknown number",
    ]
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 1
    assert (desk.counters.quarantined, desk.counters.committed) == (6, 1)


async def test_a_strangers_refused_card_is_an_event_of_nobody(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    await add_member(owner, number="100", name="First", credentials=["A1"])
    await add_member(owner, number="200", name="Second")
    await desk.take(
        granted(gym, "1", kind="denied", credential="5A5A5A5A"),
        granted(gym, "2", kind="denied", member_id="300"),
        granted(gym, "3", kind="denied"),
        granted(gym, "4", T + NS, kind="denied", credential="A1"),
        granted(gym, "5", kind="denied", credential="A1", member_id="200"),
    )
    rows = await owner.fetch("SELECT kind, member_id IS NULL FROM access_event ORDER BY occurred_ns")
    assert [tuple(row) for row in rows] == [("denied", True)] * 3 + [("denied", False)]
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE kind = 'event'") == 4
    assert await reasons(owner) == ["credential and number of different members"]


async def test_a_controller_two_hours_ahead_is_filed_by_when_its_events_arrive(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    ahead = [granted(gym, str(n), T + 2 * HOUR_NS + n * NS, member_id="100", late_ns=-2 * HOUR_NS) for n in range(6)]
    await desk.take(*ahead)
    await desk.take(*(one._replace(dup=True, received_ns=one.received_ns + 60 * NS) for one in ahead))
    rows = await owner.fetch("SELECT occurred_ns, reported_ns, uncertain FROM access_event ORDER BY reported_ns")
    assert [row["reported_ns"] for row in rows] == [T + 2 * HOUR_NS + n * NS for n in range(6)]
    assert all(abs(row["occurred_ns"] - (T + n * NS)) < NS and row["uncertain"] for n, row in enumerate(rows))
    assert (desk.counters.committed, desk.counters.duplicates) == (6, 6)
    assert await reasons(owner) == []
    found = await events(pool, site_ids=[gym.site_id], span=Span(T - NS, T + 10 * NS))
    assert {row.event.reported_ns for row in found} == {row["reported_ns"] for row in rows}


@pytest.mark.parametrize("told", ["1970-01-01T00:00:12Z", "2000-01-01T00:03:00Z", "2106-02-07T06:28:15Z"])
async def test_a_controller_whose_clock_was_never_set_is_filed_by_when_its_events_arrive(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym, told: str
) -> None:
    await add_member(owner, number="100", name="First")
    sent = granted(gym, "1", T, member_id="100")
    sent = sent._replace(payload=json.dumps(json.loads(sent.payload) | {"occurred_at": told}).encode())
    await desk.take(sent)
    await desk.take(sent._replace(dup=True, received_ns=sent.received_ns + 60 * NS))
    (found,) = await events(pool, site_ids=[gym.site_id], span=Span(sent.received_ns - NS, sent.received_ns + NS))
    assert (found.event.occurred_ns, found.event.reported_ns) == (sent.received_ns, from_iso(told))
    assert found.event.uncertain
    assert (desk.counters.committed, desk.counters.duplicates) == (1, 1)
    assert await reasons(owner) == []
    assert await owner.fetchval("SELECT abs(skew_ns) > 20::bigint * 365 * 86400 * 1000000000 FROM controller_skew")


async def test_an_event_of_uncertain_time_is_found_by_when_it_arrived_page_by_page(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    behind = [granted(gym, str(n), T + n * NS, member_id="100", late_ns=3 * HOUR_NS) for n in range(5)]
    await desk.take(*behind)
    span = Span(T + 3 * HOUR_NS - NS, T + 4 * HOUR_NS)
    first = await events(pool, site_ids=[gym.site_id], span=span, limit=3)
    rest = await events(pool, site_ids=[gym.site_id], span=span, limit=3, before=first[-1].cursor)
    times = [row.event.occurred_ns for row in (*first, *rest)]
    assert times == [T + n * NS for n in (4, 3, 2, 1, 0)]


async def test_a_board_with_two_relays_is_two_events_at_its_doors(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First", credentials=["04A1"])
    rule = TopicRule(pattern=f"rfid/{gym.word}/send", decoder="esp-rfid", site_id=gym.site_id)
    desk = await make_desk(pool, gym, rules=(rule,))

    def swiped(names: object, at_ns: int = T, hostname: str = "front") -> Received:
        body = {"type": "access", "time": at_ns // NS, "access": ["Always", "Disabled"], "uid": "04a1"}
        payload = json.dumps(body | {"hostname": hostname, "doorName": names}).encode()
        return received(f"rfid/{gym.word}/send", payload, at_ns + NS)

    one = swiped(["East", "back"])
    await desk.take(one, one._replace(dup=True))
    by_door = {door_id: name for name, door_id in gym.doors.items()}
    rows = await owner.fetch("SELECT door_id, kind FROM access_event ORDER BY kind DESC")
    assert [(by_door[row["door_id"]], row["kind"]) for row in rows] == [("front", "granted"), ("back", "denied")]
    assert (desk.counters.committed, desk.counters.duplicates) == (2, 2)
    await desk.take(swiped(["East", "West"], T + 9 * NS, "unheard"))
    assert await reasons(owner) == ["unknown door"]
    assert await owner.fetchval("SELECT seen_count FROM quarantine") == 1


async def test_quarantined_payload_opens_with_the_custodians_key_only(
    owner: asyncpg.Connection, desk: Desk, gym: Gym
) -> None:
    one = granted(gym, "1", credential="C0FFEE00")
    await desk.take(one)
    sealed = await owner.fetchval("SELECT sealed_payload FROM quarantine")
    assert b"C0FFEE" not in sealed
    assert unpack(open_sealed(INTAKE, sealed)) == (one.topic, one.payload)


async def test_repeated_message_is_counted_not_stored_again(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    one = granted(gym, "1", credential="B2")
    await desk.take(one, one)
    await desk.take(one)
    row = await owner.fetchrow("SELECT count(*), sum(seen_count) FROM quarantine")
    assert row is not None and tuple(row) == (1, 3)
    assert (desk.counters.quarantined, desk.counters.quarantine_repeats) == (1, 2)


async def test_full_quarantine_is_counted_and_the_stream_goes_on(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    desk = await make_desk(pool, gym, rows_max=3)
    flood = [received(gym.topic("front"), b"%d" % n, T) for n in range(10)]
    await desk.take(*flood, granted(gym, "1", member_id="100"))
    assert await owner.fetchval("SELECT count(*) FROM quarantine") == 3
    assert (desk.counters.quarantine_overflow, desk.counters.committed) == (7, 1)
    quarantine = desk.receiver._quarantine
    assert (quarantine.full, quarantine.waiting) == (True, 3)
    await owner.execute(
        "DELETE FROM quarantine WHERE quarantine_id = (SELECT min(quarantine_id::text)::uuid FROM quarantine)"
    )
    await quarantine.count(pool)
    assert (quarantine.full, quarantine.waiting) == (False, 2)


async def test_replayed_messages_leave_their_places_in_a_full_quarantine(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    desk = await make_desk(pool, gym, rows_max=3)
    await desk.take(*(received(gym.topic("front"), b"%d" % n, T) for n in range(3)))
    await owner.execute("UPDATE quarantine SET replayed_ns = $1", T)
    assert await desk.receiver._quarantine.count(pool) == 0
    await desk.take(*(received(gym.topic("front"), b"%d" % n, T) for n in range(10, 14)))
    assert (desk.counters.quarantined, desk.counters.quarantine_overflow) == (6, 1)
    await owner.execute("UPDATE quarantine SET replayed_ns = $1", T)
    assert (
        await desk.receiver._quarantine.count(pool) == 3
    )  # six are replayed: more than three take the place of others


async def test_without_intake_key_what_needs_sealing_waits_and_the_rest_goes_on(
    owner: asyncpg.Connection, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    bad, good = granted(gym, "1", credential="B2"), granted(gym, "2", member_id="100")
    assert await desk.take(bad, good, key=None) == [bad]
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 1
    assert await desk.take(bad) == []
    assert await reasons(owner) == ["unknown credential"]


async def test_message_that_the_database_refuses_does_not_stop_the_others(
    owner: asyncpg.Connection, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    batch = desk.receiver.decode([granted(gym, str(n), member_id="100") for n in range(7)])
    broken = replace(batch.offers[3], event=replace(batch.offers[3].event, door="nul \x00"))
    batch.offers[3] = broken
    assert await desk.receiver.commit(desk.pool, batch, KEY) == []
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 6
    assert await reasons(owner) == ["refused by the database"]


async def test_skew_marks_events_uncertain_and_is_remembered(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym
) -> None:
    await add_member(owner, number="100", name="First")
    await desk.take(granted(gym, "1", T, member_id="100"))
    await desk.take(granted(gym, "2", T + NS, member_id="100", late_ns=-40 * NS))
    await desk.take(granted(gym, "3", T + 2 * NS, door="back", member_id="100"))
    rows = await owner.fetch("SELECT uncertain FROM access_event ORDER BY coalesce(reported_ns, occurred_ns)")
    assert [row["uncertain"] for row in rows] == [False, True, False]
    skew = await owner.fetchval("SELECT skew_ns FROM controller_skew WHERE door_id = $1", gym.doors["front"])
    assert skew == -40 * NS
    again = await make_desk(pool, gym)
    await again.take(granted(gym, "4", T + 9 * NS, member_id="100", late_ns=-40 * NS))
    assert await owner.fetchval("SELECT count(*) FROM access_event WHERE uncertain") == 2


async def test_late_event_of_a_removed_door_is_taken(owner: asyncpg.Connection, desk: Desk, gym: Gym) -> None:
    await owner.execute("UPDATE door SET removed_ns = $1", T)
    await desk.take(granted(gym, "1", T - HOUR_NS, kind="held_open"))
    assert await owner.fetchval("SELECT door_id FROM access_event") == gym.doors["front"]


async def test_quarantine_is_listed_by_pages_and_expires(
    owner: asyncpg.Connection, pool: asyncpg.Pool, desk: Desk, gym: Gym
) -> None:
    await desk.take(*(received(gym.topic("front"), b"%d" % n, T + n) for n in range(5)))
    first = await quarantined(pool, limit=3)
    rest = await quarantined(pool, limit=3, before=first[-1].cursor)
    assert [row.received_ns - T for row in (*first, *rest)] == [4, 3, 2, 1, 0]
    assert await expire(pool, 10, T + 2 + 10 * NS) == 2
    assert len(await quarantined(pool)) == 3


@pytest.mark.parametrize("first", ["known", "refused", "refused and sent again"])
async def test_losses_are_told_after_a_controllers_restart_whatever_its_first_message_is(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym, first: str
) -> None:
    await add_member(owner, number="100", name="First")
    desk = await make_desk(pool, gym)
    for seq in range(1, 11):
        await desk.take(granted(gym, f"a{seq}", T + seq * NS, member_id="100", seq=seq))
    who = {"member_id": "100"} if first == "known" else {"credential": "A5A5"}
    one = granted(gym, "b1", T + 100 * NS, seq=1, **who)
    await desk.take(one)
    await desk.take(granted(gym, "b2", T + 101 * NS, member_id="100", seq=2))
    if first == "refused and sent again":
        await desk.take(one._replace(dup=True))
    await desk.take(granted(gym, "b9", T + 109 * NS, member_id="100", seq=9))
    assert desk.receiver._sequence.overdue(T + HOUR_NS) == (6, 1)


async def test_late_number_1_after_a_restart_of_ours_is_not_the_counter_begun_anew(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    """What the first indexer had taken and not committed comes to the second one, behind later numbers."""
    for numbers in ((3, 4, 7), (8, 1, 9)):
        desk = await make_desk(pool, gym)
        await desk.take(*(granted(gym, f"e{seq}", T + seq, seq=seq, kind="held_open") for seq in numbers))
    row = await owner.fetchrow("SELECT first_seq, first_ns, last_seq, missing FROM door_sequence")
    late_ns = T + 1 + NS
    assert (row["first_seq"], row["first_ns"], row["last_seq"]) == (1, T + 3 + NS, 9)
    assert json.loads(row["missing"]) == [[5, 7, T + 7 + NS], [2, 3, late_ns]]
