"""The recovery key: one secret on paper, which opens every backup and vouches for it. The machine keeps no copy.

From its 32 random bytes follow an X25519 key pair, to which each backup is sealed, and an Ed25519 key pair, which signs
it. The machine keeps the public half of the first and the private half of the second: it can write backups that the
paper recognises, and open none. The text is Crockford's base32 of the bytes and a checksum, in groups of four.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.backup.errors import RecoveryKeyError

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\n": None, "\t": None})
_SECRET_BYTES, _CHECK_BYTES, _GROUP = 32, 3, 4
_LETTERS: Final = (_SECRET_BYTES + _CHECK_BYTES) * 8 // 5
_CHECK: Final = b"tallenne/1 recovery check"


@dataclass(frozen=True, slots=True)
class WritingKeys:
    """The machine's part. ``public``: X25519, 32 bytes; ``signing`` signs the heads of backups."""

    public: bytes
    signing: Ed25519PrivateKey = field(repr=False)

    @property
    def signer(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        return self.signing.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The operator's part, and so everything. ``secret``: 32 random bytes."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> RecoveryKey:
        """A new one."""
        return cls(os.urandom(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> RecoveryKey:
        """Read what a person typed: small letters, blanks and O for 0 are fine. RecoveryKeyError."""
        letters = text.upper().translate(_READ_AS)
        wrong = sorted(set(letters) - set(_DIGITS))
        if wrong:
            raise RecoveryKeyError(f"A recovery key holds no {wrong[0]!r}.", "Type it as it is on the paper.")
        if len(letters) != _LETTERS:
            raise RecoveryKeyError(
                f"A recovery key has {_LETTERS} letters and digits; this has {len(letters)}.",
                "Type it as it is on the paper.",
            )
        number = 0
        for letter in letters:
            number = number * 32 + _DIGITS.index(letter)
        data = number.to_bytes(_SECRET_BYTES + _CHECK_BYTES)
        secret, check = data[:_SECRET_BYTES], data[_SECRET_BYTES:]
        if check != _check(secret):
            raise RecoveryKeyError("A letter of the recovery key is wrong.", "Compare it with the paper.")
        return cls(secret)

    def text(self) -> str:
        """As it is printed: 14 groups of 4."""
        number = int.from_bytes(self.secret + _check(self.secret))
        letters = "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_LETTERS)))
        return "-".join(letters[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))

    @property
    def opening(self) -> X25519PrivateKey:
        """Opens what was sealed to ``writing().public``."""
        return X25519PrivateKey.from_private_bytes(self._derived(b"tallenne/1 recovery seal"))

    def writing(self) -> WritingKeys:
        """What the machine keeps."""
        signing = Ed25519PrivateKey.from_private_bytes(self._derived(b"tallenne/1 recovery sign"))
        return WritingKeys(self.opening.public_key().public_bytes_raw(), signing)

    def _derived(self, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self.secret)


def _check(secret: bytes) -> bytes:
    return hashlib.sha256(_CHECK + secret).digest()[:_CHECK_BYTES]
