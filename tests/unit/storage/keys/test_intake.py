"""What is sealed to the intake key opens with it, unchanged, and with no other."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from storage.keys import IntakeRefusedError
from storage.keys.hpke import HPKE
from storage.keys.intake import open_sealed, seal_to


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


def test_message_that_was_sealed_for_another_purpose_does_not_open() -> None:
    private = X25519PrivateKey.generate()
    other = HPKE.encrypt(b"payload", private.public_key(), info=b"tallenne/1 wrap")
    with pytest.raises(IntakeRefusedError) as caught:
        open_sealed(private, other)
    assert caught.value.__context__ is None


def test_same_payload_sealed_twice_differs() -> None:
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    first, second = seal_to(public, b"payload"), seal_to(public, b"payload")
    assert first[:32] != second[:32]
    assert first[32:] != second[32:]
    assert len(first) == 32 + len(b"payload") + 16
