"""Negotiates the transport of the pictures (RFC 2326, 12.39): TCP, or UDP if the camera refuses TCP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ingest.errors import CameraAwayError, StreamError
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.signalling.messages import TransportHeader

UNSUPPORTED: Final = 461
_TLS_ONLY: Final = "UDP would not be protected by TLS: take rtsp:// if you may, or another camera."


class Transports:
    """Call ``header()`` for SETUP, then ``granted()`` or ``refused()``.

    udp: whether UDP is requested
    server_port: the port from which the camera then sends; 0: not stated
    """

    __slots__ = ("_channel", "_habits", "_ports", "_turned", "server_port", "udp")

    def __init__(self, habits: Habits, channel: int, ports: Callable[[], int] | None, *, udp: bool) -> None:
        """ports: opens the ports for UDP and returns the first; None: never UDP. udp: do not try TCP first"""
        self._habits, self._channel, self._ports = habits, channel, ports
        self.udp = ports is not None and (udp or habits.udp)
        self._turned = False  # whether TCP was refused in this connection
        self.server_port = 0

    def header(self) -> tuple[str, str]:
        """Return the Transport header for SETUP. CameraAwayError: there are no free ports."""
        if not self.udp or self._ports is None:
            return interleaved(self._channel)
        port = self._ports()
        return "Transport", f"RTP/AVP;unicast;client_port={port}-{port + 1}"

    def granted(self, text: str) -> int | None:
        """Return the channel of RTP over TCP, -1 for UDP; None: repeat SETUP for UDP. StreamError."""
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
        """Handle status 461: repeat SETUP for UDP. IngestError: that was refused too."""
        if not self.udp:
            self._turn("it does not send over TCP.")
            return
        learned, self._habits.udp = self._habits.udp, False
        if self._turned:
            raise StreamError("it sends neither over TCP nor over UDP.", "Switch RTP over TCP on there.")
        if learned:
            raise CameraAwayError("it does not send over UDP any more.", "Tallenne tries TCP again.")
        raise StreamError("it does not send over UDP.", 'Set the camera\'s transport to "tcp".')

    def _turn(self, why: str) -> None:
        """Remember for the next connection which transport the camera refuses."""
        if self._ports is None:
            raise StreamError(why, _TLS_ONLY)
        self.udp = self._turned = self._habits.udp = True


def interleaved(channel: int) -> tuple[str, str]:
    """Return the header for RTP in the RTSP connection on this channel (RFC 2326, 10.12)."""
    return "Transport", f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
