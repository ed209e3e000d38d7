"""RTSP over TLS: the camera is known by a CA file or by its certificate's fingerprint."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import ssl
from pathlib import Path

from ingest.errors import CameraAwayError, CameraRefusedError

_REMEDY = "Check the camera's tls_ca or tls_fingerprint; a camera that was reset has a new certificate."


class Tls:
    """An open connection's two directions."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    async def shake_hands(self, connected: socket.socket) -> None:
        """OSError, ssl.SSLError among them."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            if self.outgoing.pending:
                await loop.sock_sendall(connected, self.outgoing.read())
            if done:
                return
            data = await loop.sock_recv(connected, 65536)
            if not data:
                raise ConnectionResetError("closed in the handshake")
            self.incoming.write(data)

    def opened(self, sealed: memoryview, into: memoryview) -> int:
        """What ``sealed`` holds, and what was left before, as far as there is room; 0 at the end of the stream.

        BlockingIOError when there is no whole record yet.
        """
        self.incoming.write(sealed)
        return self.more(into)

    def more(self, into: memoryview) -> int:
        """What was left over by ``opened()``."""
        size = 0
        while size < len(into):
            try:
                read = self._tls.read(len(into) - size, into[size:])
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                return size
            if not read:
                return size
            size += int(read)
        if not size:
            raise BlockingIOError
        return size

    def sealed(self, data: bytes) -> bytes:
        """To be sent; together with what the protocol itself has to say."""
        if data:
            self._tls.write(data)
        return self.outgoing.read()

    def certificate(self) -> bytes:
        return self._tls.getpeercert(binary_form=True) or b""


def make_context(ca: Path | None, fingerprint: str) -> ssl.SSLContext:
    """With a fingerprint nothing else is checked; without anything the machine's own authorities count."""
    if fingerprint:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as exc:
        raise CameraRefusedError(f"the authority in {ca} cannot be read.", "Check the camera's tls_ca.") from exc


async def secure(connected: socket.socket, name: str, ca: Path | None, fingerprint: str) -> Tls:
    """Shake hands, check who answers. Errors without the camera's name."""
    tls = Tls(make_context(ca, fingerprint), name)
    try:
        await tls.shake_hands(connected)
    except ssl.SSLCertVerificationError as exc:
        raise CameraRefusedError(f"its certificate is not trusted ({exc.verify_message}).", _REMEDY) from exc
    except OSError as exc:
        raise CameraAwayError(
            f"it does not speak TLS ({exc.strerror or type(exc).__name__}).", "Check its port; update its firmware."
        ) from exc
    if fingerprint:
        wanted = fingerprint.replace(":", "").replace(" ", "").lower()
        found = hashlib.sha256(tls.certificate()).hexdigest()
        if not hmac.compare_digest(wanted.encode(), found.encode()):
            raise CameraRefusedError(f"its certificate has another fingerprint, {found}.", _REMEDY)
    return tls
