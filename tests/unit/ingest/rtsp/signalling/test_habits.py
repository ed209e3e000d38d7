"""What a camera answered before is asked first, what it did not answer last."""

from __future__ import annotations

from ingest.rtsp.signalling.habits import Habits


def test_addresses_are_tried_in_the_order_of_experience() -> None:
    habits = Habits()
    urls = ["a", "b", "c", "d"]
    assert habits.in_order("SETUP", urls) == urls
    habits.ends_at("a")
    habits.ends_at("c")
    assert habits.in_order("SETUP", urls) == ["b", "d", "a", "c"]
    habits.answers("SETUP", "d")
    assert habits.in_order("SETUP", urls) == ["d", "b", "a", "c"]
    assert habits.in_order("PLAY", urls) == ["b", "d", "a", "c"]


def test_address_that_answers_at_last_is_no_longer_put_back() -> None:
    habits = Habits()
    habits.ends_at("a")
    habits.answers("PLAY", "a")
    assert habits.unanswered == {}
    assert habits.in_order("PLAY", ["b", "a"]) == ["a", "b"]


def test_memory_of_unanswered_addresses_is_bounded_and_the_oldest_goes() -> None:
    habits = Habits()
    for number in range(100):
        habits.ends_at(str(number))
    assert list(habits.unanswered) == [str(number) for number in range(68, 100)]
