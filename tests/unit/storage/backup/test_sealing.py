"""A backup's bytes: two implementations open each other's, and whatever is changed does not open."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from storage.backup import BackupDamagedError, RecoveryKey, RecoveryKeyError
from storage.backup.sealing import open_head, open_part, pack_head, seal_part
from tests.vectors import second_backup as second

SET, CREATED_NS, NAME = "20261130T060000Z-0a0b0c", 1_795_240_800_000_000_000, "log-00000007"
KEY = RecoveryKey(bytes(range(32)))
SIZES = (0, 1, 15, 16, 17, 65_535, 65_536, 65_537)
VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "backup.json").read_text())


def test_vectors_open_and_the_bad_ones_are_refused() -> None:
    key = RecoveryKey(bytes.fromhex(VECTORS["secret"]))
    assert key.text() == VECTORS["text"]
    set_key = open_head("head", bytes.fromhex(VECTORS["head"]), VECTORS["set"], key).set_key
    assert set_key.hex() == VECTORS["set_key"]
    for part in VECTORS["parts"]:
        data = bytes.fromhex(part["data"])
        if part["opens"]:
            assert open_part(part["name"], data, set_key).hex() == part["plain"]
        else:
            with pytest.raises(BackupDamagedError):
                open_part(part["name"], data, set_key)
    assert {part["opens"] for part in VECTORS["parts"]} == {True, False}


@pytest.mark.parametrize("size", SIZES)
def test_each_implementation_opens_what_the_other_sealed(size: int) -> None:
    plain, set_key = os.urandom(size), os.urandom(32)
    assert second.open_part(NAME, seal_part(NAME, plain, set_key), set_key) == plain
    assert open_part(NAME, second.seal_part(NAME, plain, set_key), set_key) == plain


def test_heads_of_both_implementations_open_in_the_other() -> None:
    set_key = os.urandom(32)
    ours = pack_head(SET, CREATED_NS, set_key, KEY.writing())
    assert second.open_head(KEY.secret, ours) == (SET, CREATED_NS, set_key)
    theirs = open_head("head", second.seal_head(KEY.secret, SET, CREATED_NS, set_key), SET, KEY)
    assert (theirs.set_id, theirs.created_ns, theirs.set_key) == (SET, CREATED_NS, set_key)


def test_every_changed_bit_and_every_truncation_of_a_part_is_refused() -> None:
    set_key = os.urandom(32)
    sealed = seal_part(NAME, b"twenty bytes of text", set_key)
    changed = [
        bytes([*sealed[:at], sealed[at] ^ 1 << bit, *sealed[at + 1 :]]) for at in range(len(sealed)) for bit in (0, 7)
    ]
    for bad in (*changed, *(sealed[:size] for size in range(len(sealed))), sealed + b"\0"):
        with pytest.raises(BackupDamagedError):
            open_part(NAME, bad, set_key)
    assert open_part(NAME, sealed, set_key) == b"twenty bytes of text"  # the control


def test_part_opens_under_its_own_name_and_set_only() -> None:
    set_key = os.urandom(32)
    sealed = seal_part(NAME, b"x", set_key)
    for name, key in (("log-00000008", set_key), (NAME, os.urandom(32))):
        with pytest.raises(BackupDamagedError):
            open_part(name, sealed, key)


def test_every_changed_byte_of_a_head_is_refused() -> None:
    head = pack_head(SET, CREATED_NS, os.urandom(32), KEY.writing())
    for at in range(len(head)):
        with pytest.raises((BackupDamagedError, RecoveryKeyError)):
            open_head("head", bytes([*head[:at], head[at] ^ 1, *head[at + 1 :]]), SET, KEY)
    with pytest.raises(BackupDamagedError):
        open_head("head", head, "20261130T060000Z-0a0b0d", KEY)


def test_another_key_is_named_as_that() -> None:
    head = pack_head(SET, CREATED_NS, os.urandom(32), KEY.writing())
    with pytest.raises(RecoveryKeyError, match="another recovery key"):
        open_head("head", head, SET, RecoveryKey.generate())


def test_head_that_somebody_sealed_to_the_public_half_is_refused() -> None:
    """Who knows the public half can seal to it; only the signature says that the machine did."""
    public, other = KEY.writing().public, RecoveryKey.generate().writing().signing
    with pytest.raises(BackupDamagedError, match="not written by this machine"):
        open_head("head", pack_head(SET, CREATED_NS, os.urandom(32), type(KEY.writing())(public, other)), SET, KEY)
