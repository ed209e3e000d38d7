"""The keyring: random 32-byte keys that seal the private halves of other keys (sealed-format.md, "Keys").

Dropping an entry makes footage unreadable in every copy and every backup, since no backup contains the keyring.
``FileKeyring`` keeps the keys in a file; Vault or a KMS could implement the same protocol without releasing a key.

An entry has a name. The start of a UTC hour (Unix nanoseconds, not negative) names the key of everything that expires
in that hour. A negative name is that of a hold (``hold_entry()``): what a hold keeps has no hour of its own. An early
erasure replaces an hour's key before the hour is over: the new key has the next serial, and both open until the old
one is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.keys.errors import KeyFileError, NoKeyringEntryError
from storage.keys.keyring_file import EntryId, KeyringFile

_VERSION: Final = b"\x01"
_SERIAL_SIZE: Final = 4
_NONCE_SIZE: Final = 12
_HEAD_SIZE: Final = len(_VERSION) + _SERIAL_SIZE


def hold_entry(hold_id: UUID) -> int:
    """Name of the entry of one hold: negative, from 62 random bits of its id."""
    return -1 - (int.from_bytes(hold_id.bytes[8:]) & ((1 << 62) - 1))


class Keyring(Protocol):
    """Provider of keyring keys. ``name``: see the module."""

    async def hours(self) -> frozenset[int]:
        """Return the hours that have an entry. Entries of holds are not among them."""
        ...

    async def ensure(self, names: Collection[int]) -> None:
        """Create missing entries. They are durable in every replica on return.

        OSError: a replica could not be written; the keyring in memory is unchanged. Call again.
        """
        ...

    async def seal(self, name: int, plain: bytes, context: bytes) -> bytes:
        """Seal a private key under the entry's newest key, with ``context`` as associated data. NoKeyringEntryError."""
        ...

    async def open(self, name: int, sealed: bytes, context: bytes) -> bytes:
        """Open what ``seal()`` returned. NoKeyringEntryError: that key was dropped, or there never was one.
        KeyFileError: not this entry, context or message."""
        ...

    async def replace(self, name: int) -> None:
        """Give the entry another key beside its present ones; ``seal()`` uses it from now on. Durable on return.

        NoKeyringEntryError; OSError as of ``ensure()``.
        """
        ...

    async def drop_replaced(self, name: int) -> None:
        """Destroy all keys of the entry but the newest. OSError as of ``drop()``."""
        ...

    async def replaced(self) -> frozenset[int]:
        """Return the names of entries that have more than one key: a replacement that is not finished."""
        ...

    async def drop(self, names: Collection[int]) -> None:
        """Destroy entries with all their keys in every replica, irreversibly. Names without an entry are ignored.

        OSError: a replica may still hold them. Call again.
        """
        ...

    async def problems(self) -> list[str]:
        """Return sentences for the operator: which replicas are missing, damaged or out of date."""
        ...


class FileKeyring:
    """A keyring in a small file and its replicas, each overwritten in place.

    Sealed form: version u8 = 1 | serial u32 | nonce 12 | AES-256-GCM ciphertext and tag, associated data = context. A
    key seals one private key per camera: random nonces stay far below the 2^32 messages of SP 800-38D, 8.3.
    """

    def __init__(self, files: Sequence[KeyringFile], entries: dict[EntryId, bytes], generation: int) -> None:
        self._files = files
        self._entries = entries
        self._newest = _newest(entries)
        self._generation = generation

    @classmethod
    def create(cls, paths: Sequence[Path]) -> FileKeyring:
        """Create an empty keyring. KeyFileError when one of the files exists: losing the keyring loses all footage."""
        files = [KeyringFile(path) for path in paths]
        for file in files:
            file.create()
        return cls(files, {}, 0)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> FileKeyring:
        """Read the newest intact copy and write it to the copies that differ.

        KeyFileError: no copy is intact. PrivateFileError: others can read one.
        """
        files = [KeyringFile(path) for path in paths]
        for file in files:
            file.clear_scratch()
        copies = [file.read() for file in files]
        whole = [copy for copy in copies if copy is not None]
        if not whole:
            raise KeyFileError(
                f"There is no intact keyring at {', '.join(map(str, paths))}.",
                "Restore a replica of the keyring. Without it no footage opens.",
            )
        # Replicas are written one after the other. After a crash between two of them the higher generation has all
        # entries of the lower, except those that were dropped: it wins, or a dropped entry would come back.
        newest = max(whole, key=lambda copy: copy.generation)
        ring = cls(files, dict(newest.entries), newest.generation)
        # With its own generation, not a higher one: nothing changed, and a crash in between must not make this copy win
        # over an equal one.
        if any(copy is None or copy.generation != newest.generation for copy in copies):
            ring._save(newest.generation)
        return ring

    async def hours(self) -> frozenset[int]:
        """See ``Keyring``."""
        return frozenset(name for name in self._newest if name >= 0)

    async def ensure(self, names: Collection[int]) -> None:
        """See ``Keyring``."""
        # 256 random bits per entry. Nothing is derived from a master key: dropping one entry must destroy it for good.
        self._change({(name, 0): os.urandom(32) for name in names if name not in self._newest})

    async def seal(self, name: int, plain: bytes, context: bytes) -> bytes:
        """See ``Keyring``."""
        # Random, since replicas and restarts share no counter. The bound of 2^32 messages for random nonces (SP
        # 800-38D, 8.3) is out of reach: an entry seals one message per camera.
        nonce, serial = os.urandom(_NONCE_SIZE), self._newest_of(name)
        head = _VERSION + serial.to_bytes(_SERIAL_SIZE) + nonce
        return head + AESGCM(self._entries[name, serial]).encrypt(nonce, plain, context)

    async def open(self, name: int, sealed: bytes, context: bytes) -> bytes:
        """See ``Keyring``."""
        self._newest_of(name)
        serial = int.from_bytes(sealed[len(_VERSION) : _HEAD_SIZE])
        nonce, body = sealed[_HEAD_SIZE : _HEAD_SIZE + _NONCE_SIZE], sealed[_HEAD_SIZE + _NONCE_SIZE :]
        try:
            # A wrong version and a truncated message fail like a forged one: the caller learns nothing more.
            if sealed[:1] != _VERSION or len(nonce) != _NONCE_SIZE:
                raise InvalidTag
            key = self._entries.get((name, serial))
            if key is None:
                raise _no_entry()
            return AESGCM(key).decrypt(nonce, body, context)
        except InvalidTag:
            raise KeyFileError(
                "A sealed private key does not open under its keyring entry.",
                "The row was changed, or the keyring belongs to another installation.",
            ) from None

    async def replace(self, name: int) -> None:
        """See ``Keyring``."""
        self._change({(name, self._newest_of(name) + 1): os.urandom(32)})

    async def drop_replaced(self, name: int) -> None:
        """See ``Keyring``."""
        newest = self._newest_of(name)
        self._change({}, {(each, serial) for each, serial in self._entries if each == name and serial != newest})

    async def replaced(self) -> frozenset[int]:
        """See ``Keyring``."""
        return frozenset(name for name, serial in self._entries if serial != self._newest[name])

    async def drop(self, names: Collection[int]) -> None:
        """See ``Keyring``."""
        gone = frozenset(names)
        self._change({}, {(name, serial) for name, serial in self._entries if name in gone})

    async def problems(self) -> list[str]:
        """See ``Keyring``. Reads every copy from disk."""
        found = []
        for file in self._files:
            copy = file.read()
            if copy is None:
                found.append(f"The keyring's copy {file.path} is missing or damaged.")
            elif copy.generation != self._generation:
                found.append(f"The keyring's copy {file.path} is out of date.")
        return found

    def _newest_of(self, name: int) -> int:
        """Serial of the entry's newest key. NoKeyringEntryError."""
        if name not in self._newest:
            raise _no_entry()
        return self._newest[name]

    def _change(self, added: Mapping[EntryId, bytes], dropped: Collection[EntryId] = frozenset()) -> None:
        """Write the changed keyring; keep the old one in memory when that fails. No change, no write."""
        if not added and not dropped:
            return
        before = self._entries
        self._entries = {entry: key for entry, key in {**before, **added}.items() if entry not in dropped}
        try:
            self._save(self._generation + 1)
        except OSError:
            # What a failed write left in memory must not be used: a key that is in no file would be lost at the next
            # start, with all that it sealed.
            self._entries = before
            raise
        self._newest = _newest(self._entries)

    def _save(self, generation: int) -> None:
        for file in self._files:
            file.write(generation, self._entries)
        self._generation = generation


def _no_entry() -> NoKeyringEntryError:
    return NoKeyringEntryError("The keyring has no entry for this hour of expiry or hold: what it sealed stays closed.")


def _newest(entries: Mapping[EntryId, bytes]) -> dict[int, int]:
    """The highest serial of each name."""
    newest: dict[int, int] = {}
    for name, serial in entries:
        newest[name] = max(serial, newest.get(name, 0))
    return newest
