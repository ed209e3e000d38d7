"""Nobody takes all connections."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.http.connection_limit import GRACE_S, ConnectionLimit, Place, network_of
from api.http.problems import Problem

NOW_S = 1000.0


class Door:
    """A limit, and the numbers of the connections that lost their places, in order."""

    def __init__(self, *, most: int, per_address: int, proxies: tuple[str, ...] = ()) -> None:
        self.limit = ConnectionLimit(most=most, per_address=per_address, proxies=proxies)
        self.ended: list[int] = []
        self.count = 0

    def come(self, address: str, now_s: float = NOW_S) -> Place:
        taken = self._take(address, now_s)
        assert isinstance(taken, Place)
        return taken

    def refused(self, address: str, now_s: float = NOW_S) -> str:
        taken = self._take(address, now_s)
        assert isinstance(taken, Problem)
        assert (taken.status, taken.code, taken.headers["Retry-After"]) == (503, "too-many-connections", "5")
        return taken.title

    def _take(self, address: str, now_s: float) -> Place | Problem:
        number, self.count = self.count, self.count + 1
        return self.limit.take(address, self._end(number), now_s)

    def _end(self, number: int) -> Callable[[], None]:
        return lambda: self.ended.append(number)


def test_a_full_address_is_told_so_and_others_get_in() -> None:
    door = Door(most=10, per_address=3)
    places = [door.come("192.0.2.1") for _ in range(3)]
    for place in places:
        place.at_work()
    assert "this address" in door.refused("192.0.2.1", NOW_S + 60)
    assert len(door.limit) == 3
    door.come("192.0.2.2")
    places[0].leave()
    places[0].leave()
    assert len(door.limit) == 3
    door.come("192.0.2.1")
    assert door.ended == []


def test_a_proxy_has_only_the_limit_of_all() -> None:
    door = Door(most=10, per_address=3, proxies=("192.0.2.9",))
    places = [door.come("192.0.2.9") for _ in range(10)]
    for place in places:
        place.at_work()
    assert "at present" in door.refused("192.0.2.1", NOW_S + 60)
    places[7].waits(NOW_S)
    door.come("192.0.2.1", NOW_S + GRACE_S)
    assert door.ended == [7]


def test_silent_connections_of_four_addresses_keep_nobody_out() -> None:
    """256 of them, all new; then as many people as there are places, and none of theirs is taken away."""
    door = Door(most=256, per_address=64)
    for number in range(256):
        door.come(f"198.51.100.{number % 4}")
    people = [door.come(f"192.0.2.{number % 32}") for number in range(192)]
    assert sorted(door.ended) == list(range(192))  # the oldest ones first
    for place in people:
        place.at_work()
    for number in range(1000):  # those who were ended come again
        door.limit.take(f"198.51.100.{number % 4}", door._end(10_000 + number), NOW_S)
    assert len(door.limit) == 256
    assert all(number < 256 or number >= 10_000 for number in door.ended)


def test_connection_whose_request_is_answered_keeps_its_place() -> None:
    door = Door(most=2, per_address=2)
    busy, idle = door.come("192.0.2.1"), door.come("192.0.2.2")
    busy.at_work()
    idle.at_work()
    assert door.refused("192.0.2.3", NOW_S + 60)
    idle.waits(NOW_S + 60)
    idle.waits(NOW_S + 61)  # it has waited since the first word of it
    door.come("192.0.2.3", NOW_S + 60 + GRACE_S)
    assert door.ended == [1]


def test_connection_that_has_only_just_come_has_its_moment() -> None:
    door = Door(most=2, per_address=2)
    door.come("192.0.2.1")
    door.come("192.0.2.2", NOW_S + 0.5)
    assert "at present" in door.refused("192.0.2.3", NOW_S + GRACE_S - 0.01)
    door.come("192.0.2.3", NOW_S + GRACE_S)
    assert door.ended == [0]
    assert door.refused("192.0.2.4", NOW_S + GRACE_S)


def test_of_equals_the_one_that_has_waited_longest_goes() -> None:
    door = Door(most=3, per_address=3)
    for number in range(3):
        door.come(f"192.0.2.{number}", NOW_S - number)
    door.come("192.0.2.9", NOW_S + 60)
    assert door.ended == [2]


@pytest.mark.parametrize(("held", "proxies", "admitted"), [(8, (), False), (9, (), True), (9, ("192.0.2.1",), False)])
def test_more_than_a_browsers_connections_have_no_moment(held: int, proxies: tuple[str, ...], admitted: bool) -> None:
    door = Door(most=held, per_address=64, proxies=proxies)
    for _ in range(held):
        door.come("192.0.2.1")
    assert isinstance(door.limit.take("192.0.2.2", lambda: None, NOW_S), Place) is admitted


def test_one_address_over_its_limit_gives_up_its_own() -> None:
    door = Door(most=100, per_address=3)
    other = door.come("192.0.2.2")
    for _ in range(3):
        door.come("192.0.2.1", NOW_S + 1)
    door.come("192.0.2.1", NOW_S + 1 + GRACE_S)
    assert door.ended == [1]
    assert other.waits_since_s == NOW_S


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_ipv6_counts_by_network(address: str, network: str) -> None:
    assert network_of(address) == network
