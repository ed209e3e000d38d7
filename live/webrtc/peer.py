"""One browser's connection: its offer, our answer, pictures until either side ends it.

Only the holder of the private key behind the offer's fingerprint can complete the DTLS handshake: the ICE credentials
of an answer alone bring no picture. The offer's own addresses are left out; the browser reaches us, and is
answered where its checks come from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from domain.errors import TallenneError
from live.errors import OfferError
from live.protocol import Stream
from live.viewer import Item, Viewer
from live.webrtc.ports import listen_only_at
from live.webrtc.profiles import add_profiles, chosen, decodes, profile_level_id, widened
from live.webrtc.track import PictureTrack

OFFER_MAX: Final = 32 << 10
CONNECT_S: Final = 10.0
_DEPTH: Final = "bframes"


class Peer:
    """``answer()`` once, then ``ended`` tells when it is over; ``close()`` in any case.

    ``stopped``: called when the camera's pictures stop for now
    """

    def __init__(
        self,
        viewer: Viewer,
        addresses: Sequence[str],
        ports: tuple[int, int] | None,
        stopped: Callable[[], None] = lambda: None,
    ) -> None:
        self._viewer, self._addresses, self._ports, self._stopped = viewer, addresses, ports, stopped
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._profile = ""
        self._timer: asyncio.TimerHandle | None = None
        self.track: PictureTrack | None = None
        self.reason = "gone"
        self.ended = asyncio.Event()

    async def answer(self, offer: str, stream: Stream, depth: Callable[[], int]) -> str | None:
        """The SDP answer; None: the browser does not take this camera's pictures. OfferError, LiveAwayError.

        ``depth``: how many pictures are sent before their turn: the connection ends once that is more than none
        """
        add_profiles()
        self._profile = profile_level_id(stream)
        self.track = PictureTrack(self._viewer, lambda item: self._goes_on(item, depth()))
        self.track.on("ended", lambda: self._end("gone"))  # aiortc ends it where it cannot send a picture
        connection = self._connection
        connection.on("connectionstatechange", self._changed)
        try:
            transceiver = connection.addTransceiver(self.track, direction="sendonly")
            gatherer = transceiver.sender.transport.transport.iceGatherer
            listen_only_at(gatherer._connection, self._addresses, self._ports)
            taken, replaced = widened(checked(offer), stream)
            await connection.setRemoteDescription(RTCSessionDescription(sdp=taken, type="offer"))
            found = chosen(transceiver._codecs, stream)
            if found is None:
                return None
            codec, repair = found
            if replaced:
                codec.parameters["profile-level-id"] = replaced
            transceiver._codecs = [codec, *repair]
            await connection.setLocalDescription(await connection.createAnswer())
        except TallenneError:
            raise
        except Exception as error:  # noqa: BLE001 (aiortc answers damage with whatever its parser runs into)
            raise OfferError(f"The offer cannot be taken ({type(error).__name__}).") from None
        self._timer = asyncio.get_running_loop().call_later(CONNECT_S, self._not_connected)
        return str(connection.localDescription.sdp)

    def _goes_on(self, item: Item, depth: int) -> bool:
        """End before pictures that the browser does not expect."""
        if item is None:
            self._stopped()
        elif depth:
            self._end(_DEPTH)
        elif isinstance(item, Stream) and not decodes(self._profile, profile_level_id(item)):
            self._end("changed")
        return not self.ended.is_set()

    def _changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._end("gone")

    def _not_connected(self) -> None:
        if self._connection.connectionState != "connected":
            self._end("no_udp")

    def _end(self, reason: str) -> None:
        if not self.ended.is_set():
            self.reason = reason
            self.ended.set()

    async def close(self) -> None:
        """Close its ports."""
        self._end("gone")
        if self._timer is not None:
            self._timer.cancel()
        if self.track is not None:
            self.track.stop()
        await self._connection.close()


def checked(offer: str) -> str:
    """The offer without its candidates, which we would look up and call. OfferError: it is not one video and no more.

    For each other part of an offer, and for a data channel, aiortc would open ports of its own choice at all addresses.
    """
    if len(offer) > OFFER_MAX:
        raise OfferError(f"The offer is longer than {OFFER_MAX} characters.")
    lines = [line for line in offer.splitlines() if not line.startswith(("a=candidate", "a=end-of-candidates"))]
    parts = [line for line in lines if line.startswith("m=")]
    if len(parts) != 1 or not parts[0].startswith("m=video "):
        raise OfferError("The offer asks for something other than one video.")
    if not any(line.lower().startswith("a=fingerprint:sha-") for line in lines):
        raise OfferError("The offer names no key.")
    return "\r\n".join((*lines, ""))
