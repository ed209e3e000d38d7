"""RTSP over TLS: authenticates the camera by a CA file or by its certificate's fingerprint."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import ssl
from pathlib import Path
from typing import Final

from ingest.errors import CameraAwayError, CameraRefusedError
from ingest.settings import TlsLevel

_LEGACY_CIPHERS: Final = "ALL:!aNULL:!eNULL:@SECLEVEL=0"  # encrypted and authenticated, however weakly
_LEGACY_SERVER_CONNECT: Final = 0x4  # OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT: no secure renegotiation (RFC 5746)
_TOO_OLD: Final = frozenset(
    (
        "SSLV3_ALERT_HANDSHAKE_FAILURE",  # no cipher in common
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "EE_KEY_TOO_SMALL",
        "CA_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "DH_KEY_TOO_SMALL",
        "BAD_ECPOINT",
        "WRONG_SIGNATURE_TYPE",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    )
)
_TOO_OLD_REMEDY: Final = 'Update its firmware, or set its tls_level to "legacy", which protects less.'
_REMEDY = "Check the camera's tls_ca or tls_fingerprint; a camera that was reset has a new certificate."


class Tls:
    """Both directions of an open connection."""

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
        """Encrypt data to be sent, together with pending protocol messages."""
        if data:
            self._tls.write(data)
        return self.outgoing.read()

    def certificate(self) -> bytes:
        """The camera's certificate, DER; empty before the handshake."""
        return self._tls.getpeercert(binary_form=True) or b""

    @property
    def note(self) -> str:
        """Version and cipher, to be displayed."""
        cipher = self._tls.cipher()
        return f"{self._tls.version()}, {cipher[0] if cipher is not None else 'no cipher'}"


def make_context(ca: Path | None, fingerprint: str, level: TlsLevel = TlsLevel.MODERN) -> ssl.SSLContext:
    """Build the context. A fingerprint replaces all other checks; without any setting the system's CAs count."""
    if fingerprint:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        try:
            context = ssl.create_default_context(cafile=ca)
        except (OSError, ssl.SSLError) as exc:
            raise CameraRefusedError(f"the authority in {ca} cannot be read.", "Check the camera's tls_ca.") from exc
    if level is TlsLevel.LEGACY:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers(_LEGACY_CIPHERS)
        context.options |= _LEGACY_SERVER_CONNECT
    return context


async def secure(
    connected: socket.socket, name: str, ca: Path | None, fingerprint: str, level: TlsLevel = TlsLevel.MODERN
) -> Tls:
    """Run the handshake and authenticate the camera. Errors without the camera's name."""
    tls = Tls(make_context(ca, fingerprint, level), name)
    try:
        await tls.shake_hands(connected)
    except ssl.SSLCertVerificationError as exc:
        raise CameraRefusedError(f"its certificate is not trusted ({exc.verify_message}).", _REMEDY) from exc
    except ssl.SSLError as exc:
        reason = (exc.reason or "").replace("_", " ").lower() or type(exc).__name__
        if level is TlsLevel.MODERN and exc.reason in _TOO_OLD:
            raise CameraRefusedError(f"its TLS is too old ({reason}).", _TOO_OLD_REMEDY) from exc
        raise CameraAwayError(f"it does not speak TLS ({reason}).", "Check its port; update its firmware.") from exc
    except OSError as exc:
        reason = str(exc.strerror or exc or type(exc).__name__)
        raise CameraAwayError(
            f"it does not speak TLS ({reason}).", f"Check its port; its TLS may be too old. {_TOO_OLD_REMEDY}"
        ) from exc
    if fingerprint:
        wanted = fingerprint.replace(":", "").replace(" ", "").lower()
        found = hashlib.sha256(tls.certificate()).hexdigest()
        if not hmac.compare_digest(wanted.encode(), found.encode()):
            raise CameraRefusedError(f"its certificate has another fingerprint, {found}.", _REMEDY)
    return tls
