"""Whose datagrams are read, and where reports go."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest.rtp.counts import Counts
from ingest.rtsp.udp import PIECE_BYTES, UdpPorts

CAMERA, STRANGER = "127.0.0.1", "127.0.0.2"
PACKET = b"\x80\x60" + bytes(10) + b"payload"


@pytest.fixture
def ports() -> Iterator[UdpPorts]:
    made = UdpPorts("127.0.0.1", CAMERA, Counts())
    made.open()
    with closing(made):
        yield made


def sender(address: str = CAMERA) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    return made


def read(ports: UdpPorts) -> list[bytes]:
    """Payloads of the frames that come of what was sent."""
    view = memoryview(bytearray(4 * PIECE_BYTES))
    end, _ = ports.read(view, 5)
    found, at = [], 0
    while at < end:
        assert view[at : at + 2] == b"$\x05"
        size = int.from_bytes(view[at + 2 : at + 4], "big")
        found.append(view[at + 4 : at + 4 + size].tobytes())
        at += 4 + size
    return found


def test_ports_are_an_even_one_and_the_next(ports: UdpPorts) -> None:
    port = ports.open()  # the same again
    assert port % 2 == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port + 1))


def test_only_the_cameras_address_is_read(ports: UdpPorts) -> None:
    with sender() as camera, sender(STRANGER) as stranger:
        ports.named(camera.getsockname()[1])
        for each in (stranger, camera, stranger):
            each.sendto(PACKET, ("127.0.0.1", ports.open()))
    assert read(ports) == [PACKET]


def test_another_port_is_taken_when_nothing_comes_from_the_named_one(ports: UdpPorts) -> None:
    with sender() as camera:
        ports.named(9)
        for _ in range(10):
            camera.sendto(PACKET, ("127.0.0.1", ports.open()))
    assert read(ports) == [PACKET] * 3


def test_first_port_is_the_cameras_where_none_is_named(ports: UdpPorts) -> None:
    with sender() as camera, sender() as other:
        ports.named(0)
        for each in (camera, other, camera):
            each.sendto(PACKET, ("127.0.0.1", ports.open()))
    assert read(ports) == [PACKET] * 2


def test_what_is_too_short_for_a_packet_is_counted() -> None:
    counts = Counts()
    with closing(UdpPorts("127.0.0.1", CAMERA, counts)) as ports, sender() as camera:
        ports.named(camera.getsockname()[1])
        port = ports.open()
        ports.named(camera.getsockname()[1])
        for data in (b"", PACKET[:11], PACKET[:12]):
            camera.sendto(data, ("127.0.0.1", port))
        assert read(ports) == [PACKET[:12]]
    assert counts.malformed == 2


def test_firewalls_are_opened_and_reports_go_to_the_next_port(ports: UdpPorts) -> None:
    with closing(UdpPorts("127.0.0.1", CAMERA, Counts())) as camera:
        ports.named(camera.open())
        ports.report(b"report")
        heard: list[bytes] = []
        camera.read_control(lambda view, size: heard.append(view[:size].tobytes()))
        camera.named(ports.open())
        assert len(read(camera)) == 1
    assert heard == [b"report"]


def test_reports_of_strangers_are_not_read(ports: UdpPorts) -> None:
    heard: list[bytes] = []
    with sender(STRANGER) as stranger:
        stranger.sendto(b"forged", ("127.0.0.1", ports.open() + 1))
    ports.read_control(lambda view, size: heard.append(view[:size].tobytes()))
    assert heard == []
