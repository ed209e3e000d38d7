"""The installation's own certificate authority, for a custodian on a machine of its own (`pipeline/APART.md`).

Its folder stays with the operator. Each certificate gets a folder of its own there, with all that its end needs.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipeline.embedded.certificates import authority_of, end_of, key_pem, named, pem
from pipeline.errors import SetupError
from runtime.private_files import private_directory, read_private, write_private

_NAME: Final = "Tallenne custodian authority"
AUTHORITY, CERTIFICATE, KEY = "authority.pem", "certificate.pem", "key.pem"


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates of ends: of a custodian, for its host, or of a caller, for its name."""

    folder: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def in_folder(cls, folder: Path) -> Authority:
        """Made at the first time. SetupError; PrivateFileError where others may read it."""
        private_directory(folder)
        file = folder / KEY
        if not file.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            write_private(folder / AUTHORITY, pem(authority_of(_NAME, made.public_key()).sign(made, hashes.SHA256())))
            write_private(file, key_pem(made))
        key = serialization.load_pem_private_key(read_private(file), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SetupError(f"{file} is not the key of this authority.", "Name another folder.")
        return cls(folder, key)

    def issue(
        self, name: str, *, custodian: bool, lasts: datetime.timedelta, now: datetime.datetime | None = None
    ) -> Path:
        """The folder with the new certificate, its key and the authority's certificate. SetupError for such a name."""
        if not name.isascii() or not name or "/" in name or name.startswith("."):
            raise SetupError(
                f"{name!r} cannot be the name in a certificate.", "Take letters, digits, dots and hyphens."
            )
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if custodian else ExtendedKeyUsageOID.CLIENT_AUTH
        made = named(name, _NAME, key.public_key(), now=now, lasts=lasts).add_extension(
            x509.SubjectAlternativeName([_general(name) if custodian else x509.DNSName(name)]), False
        )
        signed = end_of(made, self.key.public_key(), usage).sign(self.key, hashes.SHA256())
        place = private_directory(self.folder / name)
        write_private(place / AUTHORITY, (self.folder / AUTHORITY).read_bytes())
        write_private(place / CERTIFICATE, pem(signed))
        write_private(place / KEY, key_pem(key))
        return place


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
