"""Certificates by an authority of our own, for mutual TLS between parts that only talk to each other."""

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
        authority = authority_of(f"{name} authority", authority_key.public_key())
        leaf = (
            named(name, f"{name} authority", key.public_key())
            .add_extension(_loopback_names(), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
        )
        write_private(authority_file, pem(authority.sign(authority_key, hashes.SHA256())))
        write_private(certificate_file, pem(leaf.sign(authority_key, hashes.SHA256())))
        write_private(key_file, key_pem(key))
    return authority_file, certificate_file, key_file


def _loopback_names() -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


def authority_of(name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """An authority's own certificate, for ten years; it signs ends and no further authority."""
    return (
        named(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(of_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def end_of(
    certificate: x509.CertificateBuilder, authority: ec.EllipticCurvePublicKey, usage: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    """What makes it one of an end, good for ``usage``, as RFC 5280 4.2 has it."""
    return (
        certificate.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(of_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    )


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    others = (
        *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(
        digital_signature=not of_authority,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        **dict.fromkeys(others, False),
    )


def named(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePublicKey,
    *,
    now: datetime.datetime | None = None,
    lasts: datetime.timedelta = _YEARS_10,
) -> x509.CertificateBuilder:
    """A certificate of ``subject``, to be signed by ``issuer``; good from a day before ``now`` on."""
    now = now or datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + lasts)
    )


def pem(certificate: x509.Certificate) -> bytes:
    """As a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As a file, not encrypted."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
