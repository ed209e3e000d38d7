"""The UDP ports at which browsers reach us: of the configured addresses, in the configured range.

aioice binds any port of every address but the loopback one; this takes the place of that step.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import Sequence
from typing import Any, Final

from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import Connection, StunProtocol

from live.errors import LiveAwayError

_SHORTEST: Final = 12
"""Bytes of the shortest header of RTP; those of STUN and DTLS are longer."""


class CheckedPort(StunProtocol):
    """A port that takes pictures' answers from there alone where a check with our answer's password has come from.

    aiortc's connection ends at an empty datagram, from any sender.
    """

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """What is neither STUN (RFC 7983: it begins with 0 to 3) nor from a known address is dropped."""
        if isinstance(data, str) or len(data) < _SHORTEST:
            return
        if data[0] <= 3 or any(pair.remote_addr == (addr[0], addr[1]) for pair in self.receiver._check_list):
            super().datagram_received(data, addr)


def listen_only_at(connection: Connection, addresses: Sequence[str], ports: tuple[int, int] | None) -> None:
    """Let the connection gather candidates of these addresses and ports and no others. LiveAwayError: none is free."""

    async def component_candidates(component: int, addresses: object, timeout: int = 5) -> list[Candidate]:
        return await _candidates(connection, component, own, ports)

    own = tuple(addresses)
    connection.get_component_candidates = component_candidates  # type: ignore[method-assign]


async def _candidates(
    connection: Connection, component: int, addresses: Sequence[str], ports: tuple[int, int] | None
) -> list[Candidate]:
    found = []
    for address in addresses:
        sock = bound(address, ports)
        made: tuple[Any, Any] = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: CheckedPort(connection), sock=sock
        )
        protocol = made[1]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=address,
            port=sock.getsockname()[1],
            type="host",
        )
        connection._protocols.append(protocol)
        found.append(protocol.local_candidate)
    return found


def bound(address: str, ports: tuple[int, int] | None) -> socket.socket:
    """A UDP socket at the address, at a free port of the range. LiveAwayError: there is none, or no such address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    first, last = ports or (0, 0)
    count = last - first + 1
    begin = secrets.randbelow(count)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    reason = ""
    for number in range(count):
        try:
            sock.bind((address, first + (begin + number) % count))
        except OSError as error:
            reason = error.strerror or ""
            if error.errno != errno.EADDRINUSE:
                break
        else:
            return sock
    sock.close()
    raise LiveAwayError(f"No UDP port of {first} to {last} at {address} is free ({reason}).", "Widen [live] ports.")
