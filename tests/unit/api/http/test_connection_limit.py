"""Nobody takes all connections."""

from __future__ import annotations

import pytest

from api.http.connection_limit import ConnectionLimit, network_of


def test_a_full_address_is_told_so_and_others_get_in() -> None:
    places = ConnectionLimit(most=10, per_address=3)
    assert [places.take("192.0.2.1") for _ in range(3)] == [None] * 3
    problem = places.take("192.0.2.1")
    assert problem is not None and (problem.status, problem.code) == (503, "too-many-connections")
    assert "this address" in problem.title
    assert places.take("192.0.2.2") is None
    places.leave("192.0.2.1")
    assert places.take("192.0.2.1") is None


def test_a_proxy_has_only_the_limit_of_all() -> None:
    places = ConnectionLimit(most=10, per_address=3, proxies=["192.0.2.9"])
    assert [places.take("192.0.2.9") for _ in range(10)] == [None] * 10
    problem = places.take("192.0.2.1")
    assert problem is not None and "at the moment" in problem.title
    for _ in range(10):
        places.leave("192.0.2.9")
    assert places.take("192.0.2.1") is None


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
