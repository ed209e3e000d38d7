"""The TLS certificate of the pages: the configured one, or one created for this machine."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api.settings import ServeSettings
from runtime.private_files import private_directory, write_private

_log = logging.getLogger(__name__)
_LOOK_S = 10.0  # between two looks at the files
_LASTS = datetime.timedelta(days=397)  # the longest that browsers accept
_RENEW = datetime.timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The files of the TLS certificate and its key."""

    certificate: Path
    key: Path
    fingerprint: str  # SHA-256, as browsers show it, to compare at the first warning


def certificate_for(settings: ServeSettings) -> Certificate:
    """OSError or ValueError when the configured files cannot be read."""
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return _described(settings.tls_certificate, settings.tls_key)
    private_directory(settings.secret_directory)
    certificate, key = settings.secret_directory / "tls-cert.pem", settings.secret_directory / "tls-key.pem"
    names = _names(settings.host)
    if not (certificate.exists() and key.exists() and _still_good(certificate, names)):
        _make(certificate, key, names)
    return _described(certificate, key)


async def keep_renewed(
    context: ssl.SSLContext, pair: Certificate, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Use renewed files for new connections, until cancelled."""
    seen = _stamp(pair)
    while True:
        await sleep(_LOOK_S)
        stamp = _stamp(pair)
        if stamp == seen:
            continue
        seen = stamp
        try:
            # On a context of its own first: half a pair, written just now, must not spoil the one in use.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)
            context.load_cert_chain(pair.certificate, pair.key)
            fingerprint = _described(pair.certificate, pair.key).fingerprint
        except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
            _log.error("the renewed certificate is not used: %s and %s do not go together (%s)", *_names_of(pair), exc)
        else:
            _log.info("the certificate was renewed; its SHA-256 is %s", fingerprint)


def _stamp(pair: Certificate) -> tuple[tuple[int, int, int] | None, ...]:
    """Changes when a file is written, replaced or linked anew."""

    def one(path: Path) -> tuple[int, int, int] | None:
        """Return modification time, size and inode; None for a file that cannot be read."""
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    return one(pair.certificate), one(pair.key)


def _names_of(pair: Certificate) -> tuple[Path, Path]:
    return pair.certificate, pair.key


def _described(certificate: Path, key: Path) -> Certificate:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return Certificate(
        certificate=certificate, key=key, fingerprint=loaded.fingerprint(hashes.SHA256()).hex(":").upper()
    )


def _names(host: str) -> list[x509.GeneralName]:
    texts = dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), host])
    names: list[x509.GeneralName] = []
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            if text.isascii() and text:
                names.append(x509.DNSName(text))
        else:
            if not address.is_unspecified:
                names.append(x509.IPAddress(address))
    return names


def _still_good(path: Path, names: list[x509.GeneralName]) -> bool:
    try:
        loaded = x509.load_pem_x509_certificate(path.read_bytes())
        has = set(loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (ValueError, x509.ExtensionNotFound):
        return False
    return set(names) <= has and loaded.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > _RENEW


def _make(certificate: Path, key_file: Path, names: list[x509.GeneralName]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tallenne")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(key_file, key.private_bytes(serialization.Encoding.PEM, form, plain))
    write_private(certificate, made.public_bytes(serialization.Encoding.PEM))
