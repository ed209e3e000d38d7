"""Sealing to the custodian's intake key: anybody with the public half can, only the custodian opens.

For what must not lie about in clear before a person has looked at it, such as door messages that nobody understood.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from storage.keys.errors import IntakeRefusedError

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"tallenne/1 intake"


def seal_to(public_key: bytes, payload: bytes) -> bytes:
    """HPKE (RFC 9180) base mode, one message: enc 32 | ciphertext and tag. ``public_key``: X25519, 32 bytes."""
    return _SUITE.encrypt(payload, X25519PublicKey.from_public_bytes(public_key), info=_INFO)


def open_sealed(private_key: X25519PrivateKey, sealed: bytes) -> bytes:
    """The payload. IntakeRefusedError when it was not sealed to this key, or was changed."""
    try:
        return _SUITE.decrypt(sealed, private_key, info=_INFO)
    except (InvalidTag, ValueError):
        pass
    raise IntakeRefusedError("The sealed payload does not open.", "It was sealed to another intake key, or changed.")
