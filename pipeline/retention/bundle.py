"""Certificates as a ZIP: bodies, signatures, the custodian's public key, and the verifier that exports carry, too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.export.manifest import enclosures, fingerprint, public_pem
from storage.catalogue.certificates import Certificate


def write_bundle(certificates: Sequence[Certificate], signer: bytes) -> bytes:
    """Return the ZIP. ``signer``: the custodian's Ed25519 public key, 32 bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for certificate in certificates:
            name = f"certificate-{certificate.number:08d}"
            archive.writestr(f"{name}.json", certificate.body)
            archive.writestr(f"{name}.sig", certificate.signature)
        archive.writestr("public-key.pem", public_pem(Ed25519PublicKey.from_public_bytes(signer)))
        archive.writestr("verify.py", enclosures()["verify.py"])
    return made.getvalue()


def key_sha256(signer: bytes) -> str:
    """The fingerprint that the verifier's --key-sha256 takes. ``signer``: as in ``write_bundle()``."""
    return fingerprint(Ed25519PublicKey.from_public_bytes(signer))
