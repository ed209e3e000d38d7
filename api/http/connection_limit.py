"""A limit on connections, in all and per address, so that one client cannot keep the others out.

A connection that waits for its client (silent, idle, reading nothing) gives its place to a newcomer when all places are
taken; one whose request is being answered keeps it. Pure: the caller brings the time and closes what has to go.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from api.http.problems import Problem

_RETRY_S: Final = 5
_BROWSER: Final = 8
"""A browser holds six; an address that holds more than this gives up even a connection that has only just come."""
GRACE_S: Final = 1.0
"""Any other connection has so long for its handshake and the head of its request."""


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


class Place:
    """One admitted connection. It waits for its client until ``at_work()``, and again from ``waits()`` on."""

    def __init__(self, limit: ConnectionLimit, network: str, close: Callable[[], None], now_s: float) -> None:
        self.network, self.close = network, close
        self.waits_since_s: float | None = now_s
        self._limit = limit

    def at_work(self) -> None:
        """A request is here in full and is being answered: the connection keeps its place."""
        self.waits_since_s = None

    def waits(self, now_s: float) -> None:
        """It is the client's turn."""
        if self.waits_since_s is None:
            self.waits_since_s = now_s

    def leave(self) -> None:
        """Give the place back; once is enough."""
        self._limit.forget(self)


class ConnectionLimit:
    """Counts connections, in all and by address. A trusted proxy speaks for many and has no limit of its own."""

    def __init__(self, *, most: int, per_address: int, proxies: Iterable[str] = ()) -> None:
        self._most, self._per_address = most, per_address
        self._proxies = frozenset(network_of(proxy) for proxy in proxies)
        self._places: dict[Place, None] = {}
        self._held: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._places)

    def take(self, address: str, close: Callable[[], None], now_s: float) -> Place | Problem:
        """A new connection's place, or the problem to answer it with. ``close`` ends it when it loses the place."""
        network = network_of(address)
        if self._held[network] >= self._per_address and network not in self._proxies:
            if not self._make_room([each for each in self._places if each.network == network], now_s):
                return _refusal("Too many connections from this address.", "Close some, or wait.")
        elif len(self._places) >= self._most and not self._make_room(self._places, now_s):
            return _refusal("Too many clients are connected at present.", "Wait a moment.")
        place = Place(self, network, close, now_s)
        self._places[place] = None
        self._held[network] += 1
        return place

    def forget(self, place: Place) -> None:
        """The connection has ended."""
        if place in self._places:
            del self._places[place]
            self._held[place.network] -= 1
            if not self._held[place.network]:
                del self._held[place.network]

    def _make_room(self, among: Iterable[Place], now_s: float) -> bool:
        """End one connection that waits: of the address that holds the most, the one that has waited longest."""
        waiting = [
            (self._held[each.network], now_s - each.waits_since_s, each)
            for each in among
            if each.waits_since_s is not None and (now_s - each.waits_since_s >= GRACE_S or self._is_greedy(each))
        ]
        if not waiting:
            return False
        *_, victim = max(waiting, key=lambda found: found[:2])
        self.forget(victim)
        victim.close()
        return True

    def _is_greedy(self, place: Place) -> bool:
        return self._held[place.network] > _BROWSER and place.network not in self._proxies


def _refusal(title: str, remedy: str) -> Problem:
    return Problem(503, "too-many-connections", title, remedy, headers={"Retry-After": str(_RETRY_S)})
