"""The api's own key: a file that seals second factors, hashes of codes, cookies and throttled names, signs exports.

The database without this file is not enough to compute a single code. Losing the file means new second factors for
all staff, and a new fingerprint for receivers of exports; it belongs in the operator's backup of secrets, never
beside the database's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.errors import SecretKeyError
from domain.ids import StaffId
from runtime.private_files import make_private, private_directory, read_private

_FILE: Final = "api.key"
_SIZE: Final = 32
_NONCE: Final = 12


class SecretKey:
    """Keys derived from the file's 32 bytes. None is ever shown, except the public half for exports."""

    def __init__(self, root: bytes) -> None:
        self._seal = AESGCM(_derived(root, b"tallenne/1 totp"))
        self._codes = _derived(root, b"tallenne/1 recovery codes")
        self._names = _derived(root, b"tallenne/1 throttled names")
        self._cookies = _derived(root, b"tallenne/1 session cookies")
        self._members = _derived(root, b"tallenne/1 members")
        self._exports = Ed25519PrivateKey.from_private_bytes(_derived(root, b"tallenne/1 export signing"))

    def seal_totp(self, staff_id: StaffId, secret: str) -> bytes:
        """Return nonce 12 | AES-256-GCM, bound to the person: a row copied to another account does not open."""
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, secret.encode("ascii"), staff_id.bytes)

    def open_totp(self, staff_id: StaffId, sealed: bytes) -> str:
        """Open a sealed secret. SecretKeyError: it was sealed under another key, or for another person."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], staff_id.bytes).decode("ascii")
        except (InvalidTag, ValueError):
            raise SecretKeyError(
                "A second factor does not open with this api.key.",
                "Restore the api.key that belongs to this database, or give the person a new second factor.",
            ) from None

    def hash_code(self, staff_id: StaffId, code: str) -> bytes:
        """Return the stored hash of a recovery code, 32 bytes."""
        return hmac.digest(self._codes, staff_id.bytes + code.encode(errors="surrogatepass"), hashlib.sha256)

    def hash_cookie(self, token: str) -> bytes:
        """Return the stored hash of a session's cookie, 32 bytes: a row written without this key opens no session."""
        return hmac.digest(self._cookies, token.encode("utf-8", "replace"), hashlib.sha256)

    def hash_member(self, kind: str, text: str) -> bytes:
        """Return what is stored of a member's cookie, address or one-time code (``kind``), 32 bytes."""
        return hmac.digest(self._members, f"{kind}\x1f{text}".encode(errors="surrogatepass"), hashlib.sha256)

    def sign_export(self, manifest: bytes) -> bytes:
        """Return an Ed25519 signature, 64 bytes."""
        return self._exports.sign(manifest)

    @property
    def export_key(self) -> Ed25519PublicKey:
        """The public key with which receivers of exports verify signatures."""
        return self._exports.public_key()

    def throttle_key(self, kind: str, text: str) -> bytes:
        """Return the stored hash of a throttled user name or address, 32 bytes."""
        return hmac.digest(self._names, f"{kind}\x1f{text}".encode(errors="surrogatepass"), hashlib.sha256)


def load_secret_key(secret_directory: Path) -> SecretKey:
    """The key in ``secret_directory``/api.key, made at first use; PrivateFileError when others could read it."""
    private_directory(secret_directory)
    path = secret_directory / _FILE
    make_private(path, os.urandom(_SIZE))
    root = read_private(path)
    if len(root) != _SIZE:
        raise SecretKeyError(f"{path} is not a key of {_SIZE} bytes.", "Restore the file from your backup of secrets.")
    return SecretKey(root)


def _derived(root: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(root)
