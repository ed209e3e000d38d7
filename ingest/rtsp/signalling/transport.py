"""How a camera is asked to send its pictures (RFC 2326, 12.39): over TCP, or over UDP where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ingest.errors import CameraAwayError, StreamError
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.signalling.messages import TransportHeader

UNSUPPORTED: Final = 461
_TLS_ONLY: Final = "UDP would not be protected by TLS: take rtsp:// if you may, or another camera."


class Transports:
    """``header()`` for SETUP, then ``granted()`` or ``refused()``.

    udp: the pictures are asked for over UDP
    server_port: from which the camera sends them then; 0 where it does not say
    """

    __slots__ = ("_channel", "_habits", "_ports", "_turned", "server_port", "udp")

    def __init__(self, habits: Habits, channel: int, ports: Callable[[], int] | None, *, udp: bool) -> None:
        """ports: opens the ports for UDP and gives the first; None: never over UDP; udp: do not ask for TCP first"""
        self._habits, self._channel, self._ports = habits, channel, ports
        self.udp = ports is not None and (udp or habits.udp)
        self._turned = False  # it has refused TCP in this connection
        self.server_port = 0

    def header(self) -> tuple[str, str]:
        """Of SETUP. CameraAwayError when there are no ports."""
        if not self.udp or self._ports is None:
            return interleaved(self._channel)
        port = self._ports()
        return "Transport", f"RTP/AVP;unicast;client_port={port}-{port + 1}"

    def granted(self, text: str) -> int | None:
        """The channel of RTP over TCP, -1 for UDP; None: it has to be asked again, for UDP. StreamError."""
        found = TransportHeader.parse(text)
        if found.interleaved and (text or not self.udp):
            self.udp = False
            return self._channel if found.channel is None else found.channel
        if found.multicast:
            raise StreamError("it sends to a group of receivers.", "Switch multicast off there.")
        if not self.udp:
            self._turn("it sends over UDP though asked for TCP.")
            return None
        self.server_port = found.server_port
        return -1

    def refused(self) -> None:
        """With 461: it has to be asked again, for UDP. IngestError when that was refused."""
        if not self.udp:
            self._turn("it does not send over TCP.")
            return
        learned, self._habits.udp = self._habits.udp, False
        if self._turned:
            raise StreamError("it sends neither over TCP nor over UDP.", "Switch RTP over TCP on there.")
        if learned:
            raise CameraAwayError("it does not send over UDP any more.", "It is asked for TCP again.")
        raise StreamError("it does not send over UDP.", 'Set the camera\'s transport to "tcp".')

    def _turn(self, why: str) -> None:
        """What the camera does not do is remembered for its next connection."""
        if self._ports is None:
            raise StreamError(why, _TLS_ONLY)
        self.udp = self._turned = self._habits.udp = True


def interleaved(channel: int) -> tuple[str, str]:
    """RTP in the RTSP connection, on this channel (RFC 2326, 10.12)."""
    return "Transport", f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
