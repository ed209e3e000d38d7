"""The keyring's file: two slots, overwritten in place, the better one last."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import pytest

from storage.keys import KeyFileError
from storage.keys.keyring_file import KeyringFile

SLOT = 24 + 44 * 1024 + 32


def key(number: int) -> bytes:
    return bytes([number]) * 32


def test_copy_is_laid_out_as_the_module_says(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring")
    file.create()
    file.write(7, {(-5, 0): key(1), (3600, 2): key(2)})
    data = file.path.read_bytes()
    slot = data[:SLOT]
    assert data == slot * 2
    assert slot[:24] == b"TLNKEYR1" + struct.pack(">QII", 7, 1024, 2)
    assert slot[24:112] == struct.pack(">qI32sqI32s", -5, 0, key(1), 3600, 2, key(2))
    assert not any(slot[112:-32])
    assert slot[-32:] == hashlib.sha256(slot[:-32]).digest()


def test_new_copy_is_empty_and_never_replaces_one(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring")
    assert file.read() is None
    file.create()
    copy = file.read()
    assert copy is not None
    assert (copy.generation, dict(copy.entries)) == (0, {})
    with pytest.raises(KeyFileError, match="exists already"):
        file.create()


def test_newer_slot_counts(tmp_path: Path) -> None:
    one, two = KeyringFile(tmp_path / "one"), KeyringFile(tmp_path / "two")
    for file, generation in ((one, 4), (two, 5)):
        file.create()
        file.write(generation, {(generation, 0): key(generation)})
    old, new = one.path.read_bytes()[:SLOT], two.path.read_bytes()[:SLOT]
    for slots in (old + new, new + old):
        one.path.write_bytes(slots)
        copy = one.read()
        assert copy is not None
        assert (copy.generation, dict(copy.entries)) == (5, {(5, 0): key(5)})


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        bytes(10),
        bytes(2 * SLOT),
        b"TLNKEYR2" + struct.pack(">QII", 1, 0, 0),  # another format
        b"TLNKEYR1" + struct.pack(">QII", 1, 0, 1),  # more entries than room
        b"TLNKEYR1" + struct.pack(">QII", 1, 1, 0),  # less room than stated
        b"TLNKEYR1" + struct.pack(">QII", 1, 0, 0) + b"\0",  # more bytes than stated
    ],
)
def test_slot_that_does_not_hold_what_it_says_is_not_intact(tmp_path: Path, damaged: bytes) -> None:
    file = KeyringFile(tmp_path / "keyring")
    file.create()
    file.path.write_bytes((damaged + hashlib.sha256(damaged).digest()) * 2 if damaged else b"")
    assert file.read() is None


def test_crash_between_the_slots_leaves_the_new_or_the_old_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever slot is newer, damaged or not: a write that stops after the first slot loses nothing."""
    for torn in (None, 0, SLOT):
        file = KeyringFile(tmp_path / f"keyring{torn}")
        file.create()
        file.write(1, {(1, 0): key(1)})
        if torn is not None:
            data = bytearray(file.path.read_bytes())
            data[torn + 30] ^= 1
            file.path.write_bytes(data)
        wanted, real = [1], os.pwrite

        def torn_write(descriptor: int, data: bytes, offset: int, real=real, wanted=wanted) -> int:  # type: ignore[no-untyped-def]
            if not wanted:
                raise OSError("crash")
            wanted.pop()
            real(descriptor, bytes(data)[: len(data) // 2], offset)  # a half of the first slot, then nothing
            raise OSError("crash")

        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", torn_write)
            with pytest.raises(OSError, match="crash"):
                file.write(2, {(2, 0): key(2)})
        copy = file.read()
        assert copy is not None
        assert (copy.generation, dict(copy.entries)) == (1, {(1, 0): key(1)})


def test_copy_that_grows_leaves_no_key_in_the_old_file(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring")
    file.create()
    file.write(1, {(1, 0): key(1)})
    with file.path.open("rb") as old:
        file.write(2, {(hour, 0): key(2) for hour in range(1025)})
        assert not any(old.read())
    assert file.path.stat().st_size == 2 * (24 + 44 * 2048 + 32)
    file.write(3, {})
    assert file.path.stat().st_size == 2 * (24 + 44 * 2048 + 32)  # it never shrinks
    copy = file.read()
    assert copy is not None
    assert (copy.generation, len(copy.entries)) == (3, 0)


def test_replica_that_is_missing_is_written_anew(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring")
    file.write(3, {(1, 0): key(1)})
    copy = file.read()
    assert copy is not None
    assert copy.generation == 3
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_keys_are_not_in_a_copys_text(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring")
    file.write(3, {(1, 0): key(65)})
    assert "AAAA" not in repr(file.read())
