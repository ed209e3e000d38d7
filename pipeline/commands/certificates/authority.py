"""The installation's own certificate authority, for a custodian on a machine of its own (`pipeline/APART.md`).

Its folder stays with the operator. Each certificate gets a folder of its own there, with all that its end needs.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipeline.embedded.certificates import authority_of, end_of, key_pem, named, pem
from pipeline.errors import SetupError
from runtime.private_files import make_private, private_directory, read_private, write_private

_NAME: Final = "Tallenne custodian authority"
_NAMES: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?")
"""No wildcard, which would be valid for other hosts, and no character that a log or a folder's name would distort."""
_NAME_MAX: Final = 253  # of a host: RFC 1035 2.3.4
_COMMON_NAME_MAX: Final = 64  # RFC 5280 A.1; what is verified is the alternative name, which is whole
AUTHORITY, CERTIFICATE, KEY = "authority.pem", "certificate.pem", "key.pem"


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates of ends: of a custodian, for its host, or of a caller, for its name."""

    folder: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def in_folder(cls, folder: Path) -> Authority:
        """Made at the first time. SetupError; PrivateFileError where others may read it.

        The key comes first, and each file appears whole: who is interrupted goes on, and of two who begin at once both
        sign with the same key.
        """
        private_directory(folder)
        file, certificate = folder / KEY, folder / AUTHORITY
        if certificate.exists() and not file.exists():
            raise SetupError(f"{file} is gone: this authority signs no more.", "Put it back, or name a new folder.")
        make_private(file, key_pem(ec.generate_private_key(ec.SECP256R1())))
        key = serialization.load_pem_private_key(read_private(file), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SetupError(f"{file} is not the key of this authority.", "Name another folder.")
        make_private(certificate, pem(authority_of(_NAME, key.public_key()).sign(key, hashes.SHA256())))
        if x509.load_pem_x509_certificate(certificate.read_bytes()).public_key() != key.public_key():
            raise SetupError(f"{file} is not the key of {certificate}.", "Put back the two that belong together.")
        return cls(folder, key)

    def issue(
        self, name: str, *, custodian: bool, lasts: datetime.timedelta, now: datetime.datetime | None = None
    ) -> Path:
        """The folder with the new certificate, its key and the authority's certificate. SetupError for such a name."""
        if not (_NAMES.fullmatch(name) or (custodian and _is_address(name))) or len(name) > _NAME_MAX:
            raise SetupError(
                f"{name!r} cannot be the name in a certificate.",
                f"Take letters, digits, dots, hyphens and underscores, {_NAME_MAX} at most.",
            )
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if custodian else ExtendedKeyUsageOID.CLIENT_AUTH
        made = named(name[:_COMMON_NAME_MAX], _NAME, key.public_key(), now=now, lasts=lasts).add_extension(
            x509.SubjectAlternativeName([_general(name) if custodian else x509.DNSName(name)]), False
        )
        signed = end_of(made, self.key.public_key(), usage).sign(self.key, hashes.SHA256())
        place = private_directory(self.folder / name)
        write_private(place / AUTHORITY, (self.folder / AUTHORITY).read_bytes())
        write_private(place / CERTIFICATE, pem(signed))
        write_private(place / KEY, key_pem(key))
        return place


def _general(host: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(host)) if _is_address(host) else x509.DNSName(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
