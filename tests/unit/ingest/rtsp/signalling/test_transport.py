"""How pictures are asked for, and what follows from each answer."""

from __future__ import annotations

import pytest

from ingest.errors import CameraAwayError, StreamError
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.signalling.transport import Transports

UDP = ("Transport", "RTP/AVP;unicast;client_port=4000-4001")
TCP = ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")


def transports(habits: Habits | None = None, *, ports: bool = True, udp: bool = False) -> Transports:
    return Transports(habits or Habits(), 0, (lambda: 4000) if ports else None, udp=udp)


@pytest.mark.parametrize(
    ("udp", "text", "channel", "over_udp"),
    [
        (False, "RTP/AVP/TCP;unicast;interleaved=2-3", 2, False),
        (False, "", 0, False),
        (True, "RTP/AVP;unicast;client_port=4000-4001;server_port=9000-9001", -1, True),
        (True, "RTP/AVP/UDP;unicast;client_port=4000-4001", -1, True),
        (True, "", -1, True),
        (True, "RTP/AVP/TCP;unicast;interleaved=0-1", 0, False),
    ],
)
def test_answers(udp: bool, text: str, channel: int, over_udp: bool) -> None:
    made = transports(udp=udp)
    assert made.header() == (UDP if udp else TCP)
    assert made.granted(text) == channel
    assert made.udp is over_udp
    assert made.server_port == (9000 if "server_port" in text else 0)


def test_refusal_of_tcp_is_remembered() -> None:
    habits = Habits()
    made = transports(habits)
    made.refused()
    assert made.header() == UDP
    assert transports(habits).header() == UDP


def test_refusal_of_udp_too_asks_for_tcp_the_next_time() -> None:
    habits = Habits(udp=True)
    with pytest.raises(CameraAwayError, match="UDP any more"):
        transports(habits).refused()
    assert transports(habits).header() == TCP


def test_refusal_of_both_says_so() -> None:
    habits = Habits()
    made = transports(habits)
    made.refused()
    with pytest.raises(StreamError, match="neither over TCP nor over UDP"):
        made.refused()
    assert transports(habits).header() == TCP


def test_configured_udp_that_is_refused_names_the_setting() -> None:
    with pytest.raises(StreamError) as found:
        transports(udp=True).refused()
    assert "transport" in found.value.remedy


def test_udp_though_asked_for_tcp_is_asked_for_again() -> None:
    made = transports()
    assert made.granted("RTP/AVP;unicast;client_port=1-2") is None
    assert made.header() == UDP


def test_group_of_receivers_is_refused() -> None:
    with pytest.raises(StreamError, match="group"):
        transports(udp=True).granted("RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001")


@pytest.mark.parametrize("udp", [False, True])
def test_without_ports_it_is_never_asked_for(udp: bool) -> None:
    """Over TLS."""
    made = transports(Habits(udp=True), ports=False, udp=udp)
    assert made.header() == TCP
    with pytest.raises(StreamError, match="does not send over TCP"):
        made.refused()
