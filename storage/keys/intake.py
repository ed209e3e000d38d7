"""Sealing to the custodian's intake key: the public half seals, only the custodian opens.

The indexer seals door messages that it could not decode: they may hold personal data, unchecked.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from storage.keys.errors import IntakeRefusedError
from storage.keys.hpke import HPKE

# The label keeps a payload from opening as anything else that is sealed with HPKE, such as a segment's wrap.
_INFO: Final = b"tallenne/1 intake"


def seal_to(public_key: bytes, payload: bytes) -> bytes:
    """Seal ``payload`` and return enc 32 | ciphertext and tag. ``public_key``: X25519, 32 bytes. ValueError: length."""
    return HPKE.encrypt(payload, X25519PublicKey.from_public_bytes(public_key), info=_INFO)


def open_sealed(private_key: X25519PrivateKey, sealed: bytes) -> bytes:
    """Return the payload. IntakeRefusedError when it was sealed to another key or changed since."""
    try:
        return HPKE.decrypt(sealed, private_key, info=_INFO)
    except (InvalidTag, ValueError):
        pass
    # Raised outside the except block: the error carries no context that would distinguish one failure from another.
    raise IntakeRefusedError(
        "The sealed payload does not open.", "It was sealed to another intake key, or changed since."
    )
