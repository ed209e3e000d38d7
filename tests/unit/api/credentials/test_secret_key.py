"""The role's own key: made once, private, bound to the person."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from api.credentials.secret_key import load_secret_key
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
