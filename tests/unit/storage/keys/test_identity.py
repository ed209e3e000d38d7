from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.errors import PrivateFileError
from storage.keys import KeyFileError, RecorderIdentity


def test_identity_saved_and_loaded_signs_with_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "recorder"
    assert RecorderIdentity.load(path) is None
    identity = RecorderIdentity.create(b"s" * 32)
    identity.save(path)
    again = RecorderIdentity.load(path)
    assert again is not None
    assert (again.recorder_id, again.pinned_signer) == (identity.recorder_id, b"s" * 32)
    Ed25519PublicKey.from_public_bytes(identity.public_key).verify(again.sign(b"m"), b"m")
    assert identity.private_key.private_bytes_raw().hex() not in repr(identity)


def test_identity_open_to_others_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recorder"
    RecorderIdentity.create(b"s" * 32).save(path)
    whole = path.read_bytes()
    path.chmod(0o644)
    with pytest.raises(PrivateFileError, match="read by others"):
        RecorderIdentity.load(path)
    path.chmod(0o600)
    for damaged in (b"", b"{}", whole[:-20], whole.replace(b"identity 1", b"identity 2")):
        path.write_bytes(damaged)
        with pytest.raises(KeyFileError, match="no complete"):
            RecorderIdentity.load(path)


def test_identity_with_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recorder"
    identity = RecorderIdentity.create(b"s" * 32)
    identity.save(path)
    body = json.loads(path.read_bytes())
    for name in ("pinned_signer", "private_key"):
        for other in (body[name][:-2], body[name] + "00", "", "zz" * 32, 5, None):
            path.write_text(json.dumps({**body, name: other}))
            with pytest.raises(KeyFileError, match="no complete"):
                RecorderIdentity.load(path)


def test_identities_are_never_alike(tmp_path: Path) -> None:
    one, other = RecorderIdentity.create(b"s" * 32), RecorderIdentity.create(b"s" * 32)
    assert one.recorder_id != other.recorder_id
    assert one.public_key != other.public_key
