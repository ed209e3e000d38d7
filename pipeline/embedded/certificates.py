"""A certificate authority of one service's own, for mutual TLS between parts that only talk to each other."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.private_files import write_private

_YEARS_10 = datetime.timedelta(days=3650)


def make_mutual(directory: Path, name: str) -> tuple[Path, Path, Path]:
    """(authority, certificate, key) as PEM files in ``directory``, made if absent. The authority's key is not kept."""
    authority_file, certificate_file, key_file = (directory / f"{name}-{part}.pem" for part in ("ca", "cert", "key"))
    if not all(file.exists() for file in (authority_file, certificate_file, key_file)):
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _named(f"{name} authority", f"{name} authority", authority_key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        leaf = (
            _named(name, f"{name} authority", key.public_key())
            .add_extension(_loopback_names(), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
        )
        write_private(authority_file, _pem(authority.sign(authority_key, hashes.SHA256())))
        write_private(certificate_file, _pem(leaf.sign(authority_key, hashes.SHA256())))
        form = serialization.PrivateFormat.PKCS8
        write_private(key_file, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return authority_file, certificate_file, key_file


def _loopback_names() -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


def _named(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _YEARS_10)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
