from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from runtime.errors import PrivateFileError
from storage.keys import IntakeRefusedError, KeyFileError, RecorderIdentity
from storage.keys.intake import open_sealed, seal_to


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
        with pytest.raises(KeyFileError, match="not a whole"):
            RecorderIdentity.load(path)


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_intake_sealed_to_the_key_opens_only_with_it(size: int) -> None:
    private = X25519PrivateKey.generate()
    payload = os.urandom(size)
    sealed = seal_to(private.public_key().public_bytes_raw(), payload)
    assert open_sealed(private, sealed) == payload
    changed = bytearray(sealed)
    changed[-1] ^= 1
    for key, body in (
        (X25519PrivateKey.generate(), sealed),
        (private, bytes(changed)),
        (private, sealed[:40]),
        (private, b""),
        (private, bytes(32) + sealed[32:]),
    ):
        with pytest.raises(IntakeRefusedError):
            open_sealed(key, body)
