"""UDP ports: in the range, at the address, and an error that names the remedy when none is free."""

from __future__ import annotations

import socket

import pytest
from aioice.ice import Connection

from live.errors import LiveAwayError
from live.webrtc.ports import bound, listen_only_at


def free_range(count: int) -> tuple[int, int]:
    """Ports in a row that were free a moment ago."""
    for first in range(42_000, 60_000, count):
        try:
            for port in range(first, first + count):
                bound("127.0.0.1", (port, port)).close()
        except LiveAwayError:
            continue
        return first, first + count - 1
    raise AssertionError("no ports")


def test_every_port_of_the_range_is_used_before_none_is_free() -> None:
    ports = free_range(4)
    taken: list[socket.socket] = []
    try:
        taken += [bound("127.0.0.1", ports) for _ in range(4)]
        assert sorted(sock.getsockname()[1] for sock in taken) == list(range(ports[0], ports[1] + 1))
        with pytest.raises(LiveAwayError, match="Widen"):
            bound("127.0.0.1", ports)
    finally:
        for sock in taken:
            sock.close()


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(LiveAwayError):
        bound("192.0.2.77", None)


async def test_only_the_named_addresses_are_candidates() -> None:
    ports = free_range(2)
    connection = Connection(ice_controlling=False)
    listen_only_at(connection, ("127.0.0.1",), ports)
    await connection.gather_candidates()
    found = [(one.host, one.type) for one in connection.local_candidates]
    assert found == [("127.0.0.1", "host")]
    assert ports[0] <= connection.local_candidates[0].port <= ports[1]
    await connection.close()
