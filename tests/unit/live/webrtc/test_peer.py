"""The offer as it is taken, and the end of a connection whose pictures the browser does not expect."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from dataclasses import replace

import pytest
from aiortc.codecs.h264 import H264Encoder

from live.errors import OfferError
from live.viewer import Viewer
from live.webrtc.peer import OFFER_MAX, Peer, checked
from tests.support.live import Browser, pictures, stream_of, units, until

VIDEO = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fingerprint:sha-256 AA\r\na=mid:0\r\n"
CHANNEL = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"


def test_addresses_are_left_out_of_an_offer() -> None:
    assert checked(VIDEO + "a=candidate:1 1 udp 1 x.local 9 typ host\r\na=end-of-candidates\r\n") == VIDEO


@pytest.mark.parametrize(
    "offer",
    [
        "x" * (OFFER_MAX + 1),
        VIDEO + VIDEO[5:],
        VIDEO + CHANNEL,
        "v=0\r\n" + CHANNEL + VIDEO[5:],
        VIDEO + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
        VIDEO.replace("video", "audio"),
        VIDEO.replace("a=fingerprint", "a=x"),
        "v=0\r\n",
    ],
)
def test_what_is_not_one_video_with_a_key_is_refused(offer: str) -> None:
    with pytest.raises(OfferError):
        checked(offer)


@pytest.mark.parametrize("channel", [False, True])
async def test_more_than_one_video_is_refused_and_opens_no_port(channel: bool) -> None:
    """aiortc would open ports at all addresses for what is not part of the first video's connection."""
    async with Browser() as browser:
        if channel:
            browser.connection.createDataChannel("x")
        else:
            browser.connection.addTransceiver("video", direction="recvonly")
        await browser.connection.setLocalDescription(await browser.connection.createOffer())
        peer = Peer(Viewer(), ("127.0.0.1",), None)
        with pytest.raises(OfferError):
            await peer.answer(browser.connection.localDescription.sdp, stream_of(units(3)[0].parameters), lambda: 0)
        assert not peer._connection.localDescription
        await peer.close()


async def test_whatever_is_damaged_in_an_offer_is_an_error_of_the_offer() -> None:
    """So that the look goes on over HTTPS."""
    async with Browser() as browser:
        lines = browser.offer.splitlines()
    damaged = [[*lines[:at], *lines[at + 1 :]] for at in range(len(lines))]
    damaged += [[*lines[:at], lines[at][: len(lines[at]) // 2], *lines[at + 1 :]] for at in range(len(lines))]
    damaged += [[line.replace("H264", "H265").replace("VP8", "AV1") for line in lines]]
    refused = 0
    for each in damaged:
        peer = Peer(Viewer(), ("127.0.0.1",), None)
        try:
            await peer.answer("\r\n".join((*each, "")), stream_of(units(3)[0].parameters), lambda: 0)
        except OfferError:
            refused += 1
        await peer.close()
    assert 5 < refused < len(damaged)


@pytest.mark.parametrize("change", ["depth", "profile"])
async def test_pictures_that_the_browser_does_not_expect_end_it(change: str) -> None:
    stream, viewer, depth = stream_of(units(3)[0].parameters), Viewer(), 0
    peer = Peer(viewer, ("127.0.0.1",), None)
    async with Browser() as browser:
        answer = await peer.answer(browser.offer, stream, lambda: depth)
        assert answer is not None
        await browser.accept(answer)
        viewer.push(stream)
        for picture in pictures(30):
            viewer.push(picture)
        await until(lambda: len(browser.strips) > 5)
        assert not peer.ended.is_set()
        if change == "depth":
            depth = 1
            viewer.push(pictures(1)[0])
        else:
            other = b"\x67\x64" + stream.sets[0][2:]
            viewer.push(type(stream)(codec="h264", mime="", init=b"", sets=(other, stream.sets[1])))
        async with asyncio.timeout(2):
            await peer.ended.wait()
        assert peer.reason == {"depth": "bframes", "profile": "changed"}[change]
        await peer.close()


@pytest.mark.parametrize("how", ["start code", "empty", "sender"])
async def test_a_damaged_picture_does_not_leave_the_last_one_standing(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    stream, viewer = stream_of(units(3)[0].parameters), Viewer()
    peer = Peer(viewer, ("127.0.0.1",), None)
    async with Browser() as browser:
        answer = await peer.answer(browser.offer, stream, lambda: 0)
        assert answer is not None
        await browser.accept(answer)
        viewer.push(stream)
        for picture in pictures(30):
            viewer.push(picture)
        await until(lambda: len(browser.strips) > 5)
        if how == "sender":
            monkeypatch.setattr(H264Encoder, "pack", lambda *_: 1 / 0)
        bad = b"\x06\x00\x00\x01\x00\x00\x01" if how == "start code" else b""
        viewer.push(replace(pictures(1)[0], data=len(bad).to_bytes(4, "big") + bad, key=False))
        if how == "sender":
            async with asyncio.timeout(2):
                await peer.ended.wait()
            assert peer.reason == "gone"
        else:
            shown = len(browser.strips)
            for picture in pictures(60)[25:]:
                viewer.push(picture)
            await until(lambda: len(browser.strips) > shown + 5)
            assert not peer.ended.is_set()
        await peer.close()


async def test_a_strangers_datagrams_end_no_connection() -> None:
    stream, viewer = stream_of(units(3)[0].parameters), Viewer()
    peer = Peer(viewer, ("127.0.0.1",), None)
    async with Browser() as browser:
        answer = await peer.answer(browser.offer, stream, lambda: 0)
        assert answer is not None
        await browser.accept(answer)
        viewer.push(stream)
        for picture in pictures(30):
            viewer.push(picture)
        await until(lambda: len(browser.strips) > 5)
        found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+)", answer)
        assert found is not None
        chance = random.Random(4)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for first in range(256):
                for size in (0, 1, 2, 11, 12, 19, 200):
                    data = (bytes([first]) + chance.randbytes(size))[:size]
                    stranger.sendto(data, (found[1], int(found[2])))
                    if first < 4 and size == 200:  # STUN, as far as its head
                        head = bytes([first, 1, 0, size - 20]) + b"\x21\x12\xa4\x42"
                        stranger.sendto(head + data[8:], (found[1], int(found[2])))
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)
        assert not peer.ended.is_set()
        shown = len(browser.strips)
        for picture in pictures(60)[25:]:
            viewer.push(picture)
        await until(lambda: len(browser.strips) > shown + 5)
        await peer.close()
