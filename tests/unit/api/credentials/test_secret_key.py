"""The role's own key: made once, private, bound to the person."""

from __future__ import annotations

import hmac
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.credentials.secret_key import SecretKey, load_secret_key
from api.errors import SecretKeyError
from domain.ids import StaffId
from runtime.errors import PrivateFileError

# RFC 6238, appendix B (SHA-1, the last six digits)
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_own_key_made_once_and_bound_to_the_person(tmp_path: Path) -> None:
    directory = tmp_path / "api"
    key, again = load_secret_key(directory), load_secret_key(directory)
    assert sorted(path.name for path in directory.iterdir()) == ["api.key"]
    assert (directory / "api.key").stat().st_mode & 0o777 == 0o600
    one, other = StaffId(uuid.uuid4()), StaffId(uuid.uuid4())
    sealed = key.seal_totp(one, RFC_SECRET)
    assert again.open_totp(one, sealed) == RFC_SECRET
    with pytest.raises(SecretKeyError):
        key.open_totp(other, sealed)
    (directory / "api.key").chmod(0o644)
    with pytest.raises(PrivateFileError):
        load_secret_key(directory)


def test_each_use_has_a_key_of_its_own() -> None:
    """Computed anew, so that no label changes unseen: a changed one would lock out everybody."""
    root = bytes(range(32))

    def derived(info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)

    key, person = SecretKey(root), StaffId(uuid.UUID(int=5))
    sealed = key.seal_totp(person, RFC_SECRET)
    opened = AESGCM(derived(b"tallenne/1 totp")).decrypt(sealed[:12], sealed[12:], person.bytes)
    assert opened.decode() == RFC_SECRET
    codes, names = derived(b"tallenne/1 recovery codes"), derived(b"tallenne/1 throttled names")
    assert key.hash_code(person, "7KQM\ud800") == hmac.digest(codes, person.bytes + b"7KQM\xed\xa0\x80", "sha256")
    assert key.throttle_key("user", "ann") == hmac.digest(names, b"user\x1fann", "sha256")
    cookies = derived(b"tallenne/1 session cookies")
    assert key.hash_cookie("t\ud800") == hmac.digest(cookies, b"t?", "sha256")
    members = derived(b"tallenne/1 members")
    assert key.hash_member("cookie", "t\ud800") == hmac.digest(members, b"cookie\x1ft\xed\xa0\x80", "sha256")
    assert len({key.hash_member("cookie", "t"), key.hash_member("code", "t"), key.hash_cookie("t")}) == 3
    signing = Ed25519PrivateKey.from_private_bytes(derived(b"tallenne/1 export signing"))
    assert key.export_key.public_bytes_raw() == signing.public_key().public_bytes_raw()
    assert key.sign_export(b"manifest") == signing.sign(b"manifest")


def test_second_factor_that_was_cut_or_changed_does_not_open() -> None:
    key, person = SecretKey(bytes(32)), StaffId(uuid.UUID(int=5))
    sealed = key.seal_totp(person, RFC_SECRET)
    assert key.seal_totp(person, RFC_SECRET) != sealed
    for bad in (b"", sealed[:5], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SecretKeyError):
            key.open_totp(person, bad)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_file_of_another_size_is_no_key(tmp_path: Path, size: int) -> None:
    load_secret_key(tmp_path / "api")
    (tmp_path / "api" / "api.key").write_bytes(bytes(size))
    with pytest.raises(SecretKeyError, match="32 bytes"):
        load_secret_key(tmp_path / "api")
