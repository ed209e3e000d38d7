"""The recovery key as text: what a person types is read, what is wrong is said."""

from __future__ import annotations

import pytest

from storage.backup import RecoveryKey, RecoveryKeyError


def test_text_is_read_back_as_people_type_it() -> None:
    key = RecoveryKey.generate()
    text = key.text()
    assert len(text.split("-")) == 14
    for typed in (text, text.lower(), text.replace("-", " "), text.replace("0", "O").replace("1", "l") + "\n"):
        assert RecoveryKey.parse(typed) == key


@pytest.mark.parametrize("secret", [bytes(32), bytes([255]) * 32, bytes(31) + b"\x01"])
def test_secrets_at_the_edges_survive(secret: bytes) -> None:
    assert RecoveryKey.parse(RecoveryKey(secret).text()).secret == secret


def test_every_single_wrong_letter_is_noticed() -> None:
    text = RecoveryKey(b"\x17" * 32).text()
    for at, letter in enumerate(text):
        if letter == "-":
            continue
        other = "7" if letter != "7" else "8"
        with pytest.raises(RecoveryKeyError, match="wrong"):
            RecoveryKey.parse(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize(("typed", "words"), [("", "has 56"), ("ABCD", "this has 4"), ("!" * 56, "no '!'")])
def test_what_is_no_key_is_said(typed: str, words: str) -> None:
    with pytest.raises(RecoveryKeyError, match=words):
        RecoveryKey.parse(typed)


def test_machine_keeps_no_half_that_opens() -> None:
    key = RecoveryKey.generate()
    kept = key.writing()
    assert kept.public == key.opening.public_key().public_bytes_raw()
    secrets = {key.secret, key.opening.private_bytes_raw()}
    assert not secrets & {kept.public, kept.signing.private_bytes_raw()}
    assert key.secret.hex() not in repr(key) + repr(kept)
