"""The outbox: in order, once, tried again, bounded, and the same after a restart."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from alarms.conditions import Kind
from alarms.state.notice import Change, Line, Notice, notice_of
from alarms.state.outbox import FINISHED_MAX, GIVE_UP_NS, LONGEST_S, REFUSALS_MAX, WAITING_MAX, Outbox
from domain.time import NS

NOW_NS = 1_800_000_000 * NS


def notice(name: str, at_ns: int = NOW_NS) -> Notice:
    line = Line(kind=Kind.STORE, subject="", what="The store is away.", remedy="", since_ns=at_ns)
    return Notice(notice_id=name, change=Change.RAISED, incident=name, at_ns=at_ns, since_ns=at_ns, lines=(line,))


def restarted(outbox: Outbox) -> Outbox:
    return Outbox(json.loads(json.dumps(outbox.as_json())))


def name(found: Notice | None) -> str | None:
    return None if found is None else found.notice_id


def test_each_target_gets_all_of_it_in_order() -> None:
    outbox = Outbox()
    outbox.aim(["a", "b"])
    outbox.put(notice("1"))
    outbox.put(notice("2"))
    assert name(outbox.next("a", NOW_NS)) == "1"
    outbox.delivered("a", "1", NOW_NS)
    assert (name(outbox.next("a", NOW_NS)), name(outbox.next("b", NOW_NS))) == ("2", "1")
    assert outbox.waiting() == 3


def test_failure_waits_and_holds_the_next_back_but_no_other_target() -> None:
    outbox = Outbox()
    outbox.aim(["a", "b"])
    outbox.put(notice("1"))
    outbox.failed("a", "1", NOW_NS, "away", refused=False)
    outbox.put(notice("2"))
    outbox = restarted(outbox)
    assert outbox.next("a", NOW_NS + NS) is None
    assert name(outbox.next("b", NOW_NS + NS)) == "1"
    assert name(outbox.next("a", NOW_NS + 6 * NS)) == "1"


def test_pauses_grow_up_to_the_longest_across_restarts() -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    outbox.put(notice("1"))
    for _ in range(20):
        outbox.failed("a", "1", NOW_NS, "away", refused=False)
        outbox = restarted(outbox)
    assert LONGEST_S * NS / 2 <= outbox.targets["a"].next_ns - NOW_NS <= LONGEST_S * NS


def test_clock_set_back_does_not_silence() -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    outbox.put(notice("1"))
    outbox.failed("a", "1", NOW_NS + 86_400 * NS, "away", refused=False)
    assert name(outbox.next("a", NOW_NS)) == "1"


def test_refused_for_good_is_given_up_after_a_few_attempts_and_counted() -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    outbox.put(notice("1"))
    for _ in range(REFUSALS_MAX):
        outbox.failed("a", "1", NOW_NS, "never", refused=True)
    assert (outbox.waiting(), outbox.given_up, outbox.entries[0].given_up) == (0, 1, {"a": "never"})


def test_what_waits_for_days_is_given_up() -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    outbox.put(notice("1"))
    outbox.failed("a", "1", NOW_NS + GIVE_UP_NS, "away", refused=False)
    assert outbox.waiting() == 1
    outbox.failed("a", "1", NOW_NS + GIVE_UP_NS + 1, "away", refused=False)
    assert outbox.waiting() == 0


def test_recipient_who_is_taken_out_gets_nothing_more() -> None:
    outbox = Outbox()
    outbox.aim(["a", "b"])
    outbox.put(notice("1"))
    outbox.aim(["b"])
    assert (outbox.waiting(), name(outbox.next("b", NOW_NS))) == (1, "1")


def test_bounds() -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    for number in range(WAITING_MAX + 7):
        outbox.put(notice(str(number)))
    assert (outbox.waiting(), outbox.given_up, name(outbox.next("a", NOW_NS))) == (WAITING_MAX, 7, "7")
    for number in range(7, WAITING_MAX + 7):
        outbox.delivered("a", str(number), NOW_NS)
    assert len(outbox.entries) == FINISHED_MAX


@given(st.lists(st.sampled_from(["put", "ok", "fail", "restart"]), max_size=60))
def test_delivered_once_and_in_order_whatever_happens(steps: list[str]) -> None:
    outbox = Outbox()
    outbox.aim(["a"])
    delivered: list[str] = []
    put = 0
    for number, step in enumerate([*steps, *["ok"] * len(steps)]):
        now_ns = NOW_NS + number * 400 * NS
        if step == "put":
            outbox.put(notice(str(put), now_ns))
            put += 1
        elif step == "restart":
            outbox = restarted(outbox)
        elif (found := outbox.next("a", now_ns)) is not None:
            if step == "ok":
                delivered.append(found.notice_id)
                outbox.delivered("a", found.notice_id, now_ns)
            else:
                outbox.failed("a", found.notice_id, now_ns, "away", refused=False)
    assert delivered == [str(number) for number in range(put)]


def test_notice_survives_json() -> None:
    one = notice("1")
    assert notice_of(json.loads(json.dumps(one.as_json()))) == one
