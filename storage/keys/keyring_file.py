"""One copy of the keyring on disk: two slots of equal size, overwritten in place, one after the other.

Overwriting in place erases a dropped key, as far as file system and medium overwrite in place; a replaced file would
leave it in free blocks. Two slots, so that a crash while one is written leaves the other intact.

Slot, big-endian: "TLNKEYR1" | generation u64 | capacity u32 | count u32 | count x (name i64, serial u32, key 32) |
zeros | SHA-256 of everything before it. Slot size: 24 + 44 x capacity + 32. The zeros give all slots of a capacity one
size, so that a write never leaves the tail of an older, longer one.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runtime.private_files import check_private, read_private, sync_directory, write_private
from storage.keys.errors import KeyFileError

KEYRING_MAGIC: Final = b"TLNKEYR1"
_HEAD: Final = struct.Struct(">8sQII")
_ENTRY: Final = struct.Struct(">qI32s")
_FIRST_CAPACITY: Final = 1024

EntryId = tuple[int, int]
"""Name and serial of an entry: storage/keys/keyring.py says what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringCopy:
    """Contents of one intact slot."""

    generation: int  # increases with every change; of two copies, the higher is the newer
    entries: Mapping[EntryId, bytes] = field(repr=False)


class KeyringFile:
    """The file of one copy, which may not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def clear_scratch(self) -> None:
        """Overwrite and remove the scratch file that a crash during growth left behind: it holds keys."""
        scratch = self.path.with_name(self.path.name + ".new")
        if scratch.exists():
            with scratch.open("r+b") as file:
                # Zeros over the keys first: unlink() frees the blocks and leaves their contents.
                _write_at(file.fileno(), bytes(scratch.stat().st_size), 0)
            scratch.unlink()

    def create(self) -> None:
        """Create an empty copy. KeyFileError when the file exists."""
        if self.path.exists():
            raise KeyFileError(f"{self.path} exists already.", "A keyring is never replaced by an empty one.")
        write_private(self.path, _pack(0, {}, _FIRST_CAPACITY) * 2)

    def read(self) -> KeyringCopy | None:
        """Return the newer intact slot; None when the file is absent or neither slot is intact.

        PrivateFileError: the file belongs to another user, or others can read it.
        """
        try:
            data = read_private(self.path)
        except FileNotFoundError:
            return None
        half = len(data) // 2
        whole = [copy for copy in (_unpack(data[:half]), _unpack(data[half:])) if copy is not None]
        return max(whole, key=lambda copy: copy.generation, default=None)

    def write(self, generation: int, entries: Mapping[EntryId, bytes]) -> None:
        """Overwrite both slots, the damaged or older one first, each durable before the next. OSError."""
        slot = _pack(generation, entries, self._capacity(len(entries)))
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            write_private(self.path, slot * 2)
            return
        try:
            check_private(self.path, os.fstat(descriptor))
            # More entries than fit: the one case in which the file is replaced.
            if os.fstat(descriptor).st_size != 2 * len(slot):
                self._replace(descriptor, slot)
                return
            for at in self._order(descriptor, len(slot)):
                _write_at(descriptor, slot, at)
        finally:
            os.close(descriptor)

    def _capacity(self, count: int) -> int:
        capacity = _FIRST_CAPACITY
        while capacity < count:
            capacity *= 2
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return capacity
        # A file never shrinks: its old slots would stay in free blocks.
        return max(capacity, (size // 2 - _HEAD.size - 32) // _ENTRY.size)

    def _replace(self, descriptor: int, slot: bytes) -> None:
        """Replace the file by a larger one, then overwrite the old file through its open ``descriptor``."""
        size = os.fstat(descriptor).st_size
        write_private(self.path, slot * 2)
        # The name refers to the new file by now; the descriptor still reaches the old blocks.
        _write_at(descriptor, bytes(size), 0)
        sync_directory(self.path.parent)

    def _order(self, descriptor: int, size: int) -> tuple[int, int]:
        """Return the offsets of the slots in writing order: the newer intact slot comes last."""
        first, second = (_unpack(os.pread(descriptor, size, at)) for at in (0, size))
        newer_is_first = first is not None and (second is None or first.generation > second.generation)
        return (size, 0) if newer_is_first else (0, size)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
    # Before the other slot is touched: the order on the disk is what keeps one of the two intact.
    os.fsync(descriptor)


def _pack(generation: int, entries: Mapping[EntryId, bytes], capacity: int) -> bytes:
    body = _HEAD.pack(KEYRING_MAGIC, generation, capacity, len(entries))
    body += b"".join(_ENTRY.pack(name, serial, key) for (name, serial), key in sorted(entries.items()))
    # Zeros up to the capacity: dropped keys are overwritten by them, and every slot has the same size.
    body += bytes((capacity - len(entries)) * _ENTRY.size)
    return body + hashlib.sha256(body).digest()


def _unpack(slot: bytes) -> KeyringCopy | None:
    body, digest = slot[:-32], slot[-32:]
    if len(body) < _HEAD.size or hashlib.sha256(body).digest() != digest:
        return None
    magic, generation, capacity, count = _HEAD.unpack_from(body)
    if magic != KEYRING_MAGIC or count > capacity or len(body) != _HEAD.size + capacity * _ENTRY.size:
        return None
    packed = body[_HEAD.size : _HEAD.size + count * _ENTRY.size]
    entries = {(name, serial): key for name, serial, key in _ENTRY.iter_unpack(packed)}
    return KeyringCopy(generation=generation, entries=entries)
