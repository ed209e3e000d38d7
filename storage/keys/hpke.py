"""The one HPKE suite of this project: RFC 9180 with KEM 0x0020, KDF 0x0001, AEAD 0x0002 (sections 7.1 to 7.3).

A sealed message is ``enc 32 | ciphertext | tag 16``. ``Suite.encrypt`` and ``Suite.decrypt`` are the single-shot
functions of base mode (6.1): each message takes a fresh ephemeral key, so there are no nonces to manage.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
