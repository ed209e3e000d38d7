"""Reads a connection in batches: immediately during requests and until the clock settles, then after each pause.

While the camera is watched, it is read immediately, too.

The socket is read directly, since pausing and resuming a transport costs two more system calls per batch. UDP is read
in the same way, but immediately where the kernel buffers only a few packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

from ingest.access_unit import AccessUnit, Loss, Rests
from ingest.budget import Budget
from ingest.errors import CameraAwayError, CameraStalledError, IngestError
from ingest.rtsp.pace import LONGEST_S, Pace
from ingest.rtsp.session import Session, State
from ingest.rtsp.tls import Tls
from ingest.rtsp.udp import UdpPorts, UdpReceiver
from ingest.rtsp.wheel import BUFFER_BYTES, TICK_S, Wheel

_log = logging.getLogger(__name__)
STALLED_NS: Final = 60_000_000_000  # without even a report; Silence watches the pictures, and ends sooner
_QUIET_NS: Final = 12_000_000  # the kernel counts in ticks of up to 10 ms
_LAST_DATA_RECEIVED: Final = struct.Struct("=52xI")  # in struct tcp_info (linux/tcp.h): ms since then
_SETTLE_NS: Final = 1_000_000_000  # from the first picture on
_WAITING_MAX: Final = 64  # items not taken yet, while reading immediately
_UDP_WAITING_MAX: Final = 512  # the same over UDP: what arrives beyond it is lost, and counted
_UDP_LONGEST_S: Final = 0.1  # packets held for reordering must not wait much longer than necessary
_UNSENT_MAX: Final = 64 << 10
_LEAVE_S: Final = 1.0
_REPORT: Final = "Tallenne connects again; please report what the log says."


class Connection:
    """Owns the socket. Call ``batch()`` repeatedly, and ``close()`` at the end.

    Between two calls nothing is read: TCP then holds the camera up, which does not count as a stall. With UDP nothing
    holds it up.
    """

    def __init__(
        self, connected: socket.socket, session: Session, wheel: Wheel, tls: Tls | None, udp: UdpPorts
    ) -> None:
        self.session = session
        self._udp, self._receiver = udp, UdpReceiver(udp, session, wheel.view)
        self._hearing = False  # the event loop reports datagrams
        self._socket, self._wheel, self._tls = connected, wheel, tls
        self._loop = asyncio.get_running_loop()
        self._budget = Budget()
        self._pace = Pace(connected.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
        self._error: IngestError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._unsent = b""
        self._heard_ns = self._read_ns = time.monotonic_ns()
        self._received_ns = 0  # arrival of the last byte on the connection itself
        self._rests_between = self._rests_within = 0
        self._settled_ns = 0
        self._keep_alive_ns = 0
        self._listening = False
        self._hurried = False
        self._open = True
        session.start()
        self._listen()
        self._flush()
        wheel.schedule(self, LONGEST_S)

    async def play(self) -> None:
        """Run the handshake until the camera sends. IngestError, without the camera's name."""
        while self.session.state is State.STARTING and not self.session.items:
            if self._error is not None:
                raise self._error
            await self._woken()
        self._heard_ns = time.monotonic_ns()
        self._keep_alive_ns = self._heard_ns + int(self.session.keep_alive_s * 1e9)

    async def batch(self) -> list[AccessUnit | Loss]:
        """Return the items since the last call, at least one. IngestError, without the camera's name."""
        while not self.session.items:
            if self._error is not None:
                raise self._error
            await self._woken()
        return self.session.take()

    def hurry(self, wanted: bool) -> None:
        """Read immediately, or no more so. The next visit begins with it; the next batch of bytes ends it."""
        self._hurried = wanted

    @property
    def rests(self) -> Rests | None:
        """See ingest.access_unit.Source."""
        between, within = self._rests_between, self._rests_within
        return Rests(between, within) if between or within else None

    async def close(self) -> None:
        """Send TEARDOWN, wait briefly for the reply, and close the socket."""
        if self._open and self._error is None:
            self.session.leave()
            self._flush()
            self._listen()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    while self.session.state is not State.ENDED and self._error is None:
                        await self._woken()
        self.shut()

    def shut(self) -> None:
        """Close the socket at once."""
        if self._open:
            if self.session.state is State.STARTING and self._error is None:
                self.session.closed(time.monotonic_ns())  # it did not answer in time
            self._deafen()
            self._hear_by_loop(False)
            self._open = False
            self._socket.close()
            self._udp.close()

    # -- Called by the wheel and by the event loop

    def visit(self) -> float | None:
        """See ingest.rtsp.wheel.Visited."""
        if not self._open or self._error is not None:
            return None
        now_ns = time.monotonic_ns()
        datagrams = self.session.datagrams
        if self.session.items and datagrams is None:
            self._heard_ns = self._read_ns = now_ns  # this process is late, not the camera
            return LONGEST_S
        if self._keep_alive_ns and now_ns >= self._keep_alive_ns:
            self.session.keep_alive(now_ns)
            self._keep_alive_ns = now_ns + int(self.session.keep_alive_s * 1e9)
        elapsed_ns = now_ns - self._read_ns
        size = self._gulp(now_ns)
        if datagrams is not None:
            size += self._hear(now_ns)
        if size == 0 and now_ns - self._heard_ns > STALLED_NS and self._keep_alive_ns:
            self._fail(CameraStalledError("it sends nothing.", "Restart it; check its network."))
        elif (error := self.session.diagnosis(now_ns)) is not None:
            self._fail(error)
        if self.session.behind:
            return TICK_S
        if self._hurried and self._error is None and len(self.session.items) <= _WAITING_MAX:
            self._listen()
        if datagrams is not None:
            return min(_UDP_LONGEST_S, self._pace.after(size, elapsed_ns))
        return LONGEST_S if self._listening else self._pace.after(size, elapsed_ns)

    def _readable(self) -> None:
        session = self.session
        leaving = session.state in (State.LEAVING, State.ENDED)
        if leaving:
            session.items.clear()
        if not leaving and len(session.items) > _WAITING_MAX:
            self._deafen()
            return
        now_ns = time.monotonic_ns()
        self._gulp(now_ns)
        if not self._settled_ns:
            self._settled_ns = now_ns + _SETTLE_NS if session.items else 0
        elif now_ns > self._settled_ns and not leaving and not self._hurried:
            self._deafen()

    def _gulp(self, now_ns: int) -> int:
        """Handle received bytes."""
        session, view = self.session, self._wheel.view
        at = len(session.kept)
        if at:
            view[:at] = session.kept
        quiet_ns = self._quiet_ns()
        try:
            # The rest of the last turn comes first: TCP holds the camera up meanwhile.
            size = 0 if session.behind else self._fill(view[at : at + BUFFER_BYTES])
        except (BlockingIOError, InterruptedError):
            if self._unsent or session.has_outgoing:
                self._flush()
            return 0
        except OSError as error:
            session.closed(now_ns)
            self._fail(CameraAwayError(f"the connection broke ({error.strerror}).", "Check its network and power."))
            return 0
        if not size and not session.behind:
            session.closed(now_ns)
            self._fail(CameraAwayError("it closed the connection.", "Tallenne connects again."))
            return 0
        self._heard_ns = self._read_ns = now_ns
        if size < BUFFER_BYTES // 2 and not session.behind:
            self._received_ns = max(self._received_ns, now_ns - quiet_ns)
        else:
            self._received_ns, quiet_ns = now_ns, 0  # there may be more
        state, received_ns = session.state, self._received_ns
        if self._understood(lambda: session.receive(view, at + size, received_ns)) is None:
            return size
        if quiet_ns > _QUIET_NS and not self._listening and session.datagrams is None:
            self._note_rest()
        if self._unsent or session.has_outgoing:
            self._flush()
        if session.items or session.state is not state:
            self._wake()
        return size

    def _hear(self, now_ns: int) -> int:
        """Handle datagrams that were read."""
        session, datagrams = self.session, self.session.datagrams
        if datagrams is None or session.state in (State.LEAVING, State.ENDED):
            return 0
        if len(session.items) > _UDP_WAITING_MAX:
            self._heard_ns = self._read_ns = now_ns  # this process is late, not the camera
            self._hear_by_loop(False)
            return 0
        size = self._understood(lambda: self._receiver.take(datagrams, now_ns)) or 0
        if size:
            self._heard_ns = self._read_ns = now_ns
        if session.items:
            self._wake()
        if self._error is None:
            self._hear_by_loop(self._hurried or self._udp.small or not self._settled_ns or now_ns < self._settled_ns)
        return size

    def _hear_by_loop(self, wanted: bool) -> None:
        if wanted != self._hearing and self._udp.rtp is not None:
            self._hearing = wanted
            if wanted:
                self._loop.add_reader(self._udp.rtp, self._heard)
            else:
                self._loop.remove_reader(self._udp.rtp)

    def _heard(self) -> None:
        now_ns = time.monotonic_ns()
        self._hear(now_ns)
        if not self._settled_ns and self.session.items:
            self._settled_ns = now_ns + _SETTLE_NS

    def _understood(self, what: Callable[[], int | None]) -> int | None:
        """Return the result of the call; None: it failed, which ends the connection."""
        try:
            with self._budget:
                return what() or 0
        except IngestError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 (a programming error costs this camera alone)
            _log.exception("a camera's data could not be parsed")
            self._fail(CameraAwayError(f"its data could not be parsed ({type(error).__name__}).", _REPORT))
        return None

    def _quiet_ns(self) -> int:
        """Nanoseconds since the last byte arrived, by the kernel: the arrival counts, not the time of reading."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED.size)
        quiet_ms: int = _LAST_DATA_RECEIVED.unpack(info)[0]
        return quiet_ms * 1_000_000

    def _note_rest(self) -> None:
        """Note whether the link is idle between pictures or within one."""
        track = self.session.track
        under_way = track.under_way if track is not None else None
        if under_way is None:
            return
        if under_way or self.session.kept:
            self._rests_within += 1
        else:
            self._rests_between += 1

    def _fill(self, into: memoryview) -> int:
        if self._tls is None:
            return self._socket.recv_into(into)
        try:
            size = self._socket.recv_into(self._wheel.sealed)
        except BlockingIOError:
            return self._tls.more(into)
        return self._tls.opened(self._wheel.sealed[:size], into) if size else 0

    # -- Helpers

    def _flush(self) -> None:
        data = self.session.outgoing()
        if self._tls is not None:
            data = self._tls.sealed(data)
        data = self._unsent + data
        if not data:
            return
        try:
            self._unsent = data[self._socket.send(data) :]
        except (BlockingIOError, InterruptedError):
            self._unsent = data
        except OSError as error:
            self._fail(CameraAwayError(f"the connection broke ({error.strerror}).", "Check its network and power."))
        if len(self._unsent) > _UNSENT_MAX:
            self._fail(CameraAwayError("it takes no requests.", "Restart it; check its network."))

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self._loop.add_reader(self._socket, self._readable)

    def _deafen(self) -> None:
        """Of the connection itself; the wheel visits it."""
        if self._listening:
            self._listening = False
            self._loop.remove_reader(self._socket)

    def _fail(self, error: IngestError) -> None:
        if self._error is None:
            self._error = error
        self._deafen()
        self._hear_by_loop(False)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _woken(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter
