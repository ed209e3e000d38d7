"""The certificate the pages are served under: the one that is configured, or one made for this machine."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api.settings import ServeSettings
from runtime.private_files import private_directory, write_private

_LASTS = datetime.timedelta(days=397)  # what browsers accept at most
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
