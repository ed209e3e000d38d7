"""A limit on connections, in all and per address, so that one client cannot keep the others out."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Final

from api.http.problems import Problem

_RETRY_S: Final = 5


def network_of(address: str) -> str:
    """The address itself; of IPv6 the network that one customer gets, since that has as many addresses as it wants."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class ConnectionLimit:
    """Counts connections, in all and by address. A trusted proxy speaks for many and has no limit of its own."""

    def __init__(self, *, most: int, per_address: int, proxies: Iterable[str] = ()) -> None:
        self._most, self._per_address = most, per_address
        self._proxies = frozenset(network_of(proxy) for proxy in proxies)
        self._held: Counter[str] = Counter()

    def take(self, address: str) -> Problem | None:
        """None: the connection is admitted until ``leave()``. Otherwise the problem to answer with, uncounted."""
        network = network_of(address)
        if self._held[network] >= self._per_address and network not in self._proxies:
            return _refusal("Too many connections from this address.", "Close some, or wait.")
        if self._held.total() >= self._most:
            return _refusal("Too many are connected at the moment.", "Wait a moment.")
        self._held[network] += 1
        return None

    def leave(self, address: str) -> None:
        """Give back the place of one connection."""
        network = network_of(address)
        self._held[network] -= 1
        if self._held[network] <= 0:
            del self._held[network]


def _refusal(title: str, remedy: str) -> Problem:
    return Problem(503, "too-many-connections", title, remedy, headers={"Retry-After": str(_RETRY_S)})
