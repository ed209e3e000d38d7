"""A camera through the native client: RTP over the RTSP connection, in the clear or in TLS, or over UDP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from ingest.access_unit import AccessUnit, Loss, Rests, Sound, SoundFormat
from ingest.addresses import CameraAddress, redacted, resolve
from ingest.errors import CameraAwayError, CameraRefusedError, IngestError, RedirectedError
from ingest.rtsp.connection import Connection
from ingest.rtsp.session import Session
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.tls import Tls, secure
from ingest.rtsp.udp import BUFFER_BYTES, UdpPorts
from ingest.rtsp.wheel import Wheel
from ingest.settings import CameraSettings, TlsLevel, Transport

_OPEN_S: Final = 15.0  # connecting and all replies together
_REDIRECTS_MAX: Final = 3
_RECEIVE_BUFFER: Final = 1 << 20
_RAISE: Final = f"set net.core.rmem_max to {BUFFER_BYTES}"


class NativeSource:
    """Iterate ``batches()`` once.

    ``wheel``: shared by all sources of an event loop; ``habits``: by those of a camera.
    """

    kind = "native"

    def __init__(self, camera: CameraSettings, wheel: Wheel, habits: Habits) -> None:
        self._camera = camera
        self._wheel = wheel
        self._habits = habits
        self._session: Session | None = None
        self._connection: Connection | None = None
        self._tls_note = ""
        self._udp: UdpPorts | None = None
        self._hurried = False

    def hurry(self, wanted: bool) -> None:
        """See ingest.access_unit.Source."""
        self._hurried = wanted
        if self._connection is not None:
            self._connection.hurry(wanted)

    @property
    def skew_ns(self) -> int | None:
        """How far the camera's clock is ahead, by its last sender report; None without one."""
        if self._session is None or self._session.clock is None:
            return None
        camera_ns, mono_ns = self._session.clock
        return camera_ns - (time.time_ns() - (time.monotonic_ns() - mono_ns))

    @property
    def passed_over(self) -> int:
        """See ingest.access_unit.Source."""
        return self._session.passed_over if self._session is not None else 0

    @property
    def rests(self) -> Rests | None:
        """See ingest.access_unit.Source."""
        return self._connection.rests if self._connection is not None else None

    @property
    def note(self) -> str:
        """See ingest.access_unit.Source."""
        notes = [self._tls_note, self._session.note if self._session is not None else "", self._kernel_note()]
        return "; ".join(note for note in notes if note)

    def _kernel_note(self) -> str:
        datagrams = self._session.datagrams if self._session is not None else None
        if datagrams is None or self._udp is None or not self._udp.small or datagrams.reception.lost <= 0:
            return ""
        return f"packets get lost, and the kernel keeps only {self._udp.buffer_bytes >> 10} KiB: {_RAISE}"

    @property
    def packets(self) -> Mapping[str, int]:
        """See ingest.access_unit.Source."""
        return self._habits.counts.metrics()

    @property
    def sound(self) -> SoundFormat | None:
        """See ingest.access_unit.Source."""
        return self._session.sound if self._session is not None else None

    @property
    def sound_note(self) -> str:
        """See ingest.access_unit.Source."""
        return self._session.sound_note if self._session is not None else ""

    def take_sounds(self) -> list[Sound]:
        """See ingest.access_unit.Source."""
        return self._session.take_sounds() if self._session is not None else []

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """See ingest.access_unit.Source."""
        try:
            connection = self._connection = await self._playing()
            connection.hurry(self._hurried)
            try:
                while True:
                    yield await connection.batch()
            finally:
                await connection.close()
        except IngestError as error:
            raise self._named(error) from None

    async def _playing(self) -> Connection:
        camera, url = self._camera, self._camera.url
        first: CameraAddress | None = None
        try:
            async with asyncio.timeout(_OPEN_S):
                for _ in range(_REDIRECTS_MAX + 1):
                    address = await resolve(url, camera.allowed_networks)
                    if first is not None and (address.host, address.scheme) != (first.host, first.scheme):
                        break
                    first = first or address
                    try:
                        return await self._opened(address)
                    except RedirectedError as error:
                        url = error.url
        except TimeoutError:
            raise CameraAwayError("it does not answer in time.", "Check its address, power and network.") from None
        raise CameraRefusedError("it redirects elsewhere.", "Name its new address in the configuration.")

    async def _opened(self, address: CameraAddress) -> Connection:
        camera = self._camera
        connected = await _connected(address)
        try:
            tls: Tls | None = None
            if address.scheme == "rtsps" or camera.transport is Transport.TLS:
                tls = await secure(connected, address.name, camera.tls_ca, camera.tls_fingerprint, camera.tls_level)
                self._tls_note = f"old TLS ({tls.note})" if camera.tls_level is TlsLevel.LEGACY else ""
            credentials = Credentials(
                camera.user_name, camera.password, secure=tls is not None, basic=camera.basic_auth
            )
            names = (address.name, address.host)
            udp = self._udp = UdpPorts(connected.getsockname()[0], address.host, self._habits.counts)
            self._session = Session(
                address.url,
                names,
                credentials,
                audio=camera.audio,
                habits=self._habits,
                ports=udp.open if tls is None else None,
                udp=camera.transport is Transport.UDP,
            )
            connection = Connection(connected, self._session, self._wheel, tls, udp)
        except BaseException:
            connected.close()
            raise
        try:
            await connection.play()
        except BaseException:
            await connection.close()
            raise
        return connection

    def _named(self, error: IngestError) -> IngestError:
        """Add the camera's name, which the core does not know, to an error."""
        place = redacted(self._camera.url)
        if isinstance(error, RedirectedError):  # during the session
            return CameraAwayError(f"Camera {place} has moved.", "Tallenne connects again.")
        if place in error.what:
            return error
        return type(error)(f"Camera {place}: {error.what}", error.remedy)


async def _connected(address: CameraAddress) -> socket.socket:
    """Connect. The receive buffer is set before, since its size decides the offered window (tcp(7))."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        with contextlib.suppress(OSError):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (address.host, address.port))
    except OSError as error:
        made.close()
        reason = error.strerror or type(error).__name__
        raise CameraAwayError(f"cannot be reached ({reason}).", "Check its address, power and network.") from error
    except BaseException:
        made.close()
        raise
    return made
