"""The keyring: one random 32-byte key per UTC hour of expiry (sealed-format.md, "Keys").

A keyring key seals the private halves of hour keys. Dropping it makes footage unreadable in every copy and every
backup, since no backup contains the keyring. ``FileKeyring`` keeps the keys in a file; Vault or a KMS could implement
the same protocol without releasing a key.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.keys.errors import KeyFileError, NoKeyringEntryError
from storage.keys.keyring_file import KeyringFile

_VERSION: Final = b"\x01"
_NONCE_SIZE: Final = 12


class Keyring(Protocol):
    """Provider of keyring keys. ``hour_ns``: start of a UTC hour; at that time the entry is to be dropped."""

    async def hours(self) -> frozenset[int]:
        """Return the hours that have an entry."""
        ...

    async def ensure(self, hours: Collection[int]) -> None:
        """Create missing entries. They are durable in every replica on return.

        OSError: a replica could not be written; the keyring in memory is unchanged. Call again.
        """
        ...

    async def seal(self, hour_ns: int, plain: bytes, context: bytes) -> bytes:
        """Seal a private key under the hour's entry, with ``context`` as associated data. NoKeyringEntryError."""
        ...

    async def open(self, hour_ns: int, sealed: bytes, context: bytes) -> bytes:
        """Open what ``seal()`` returned. NoKeyringEntryError; KeyFileError: not this entry, context or message."""
        ...

    async def drop(self, hours: Collection[int]) -> None:
        """Destroy entries in every replica, irreversibly. Hours without an entry are ignored.

        OSError: a replica may still hold them. Call again.
        """
        ...

    async def problems(self) -> list[str]:
        """Return sentences for the operator: which replicas are missing, damaged or out of date."""
        ...


class FileKeyring:
    """A keyring in a small file and its replicas, each overwritten in place.

    Sealed form: version u8 = 1 | nonce 12 | AES-256-GCM ciphertext and tag, associated data = context. An entry seals
    one private key per camera: random nonces stay far below the 2^32 messages of SP 800-38D, 8.3.
    """

    def __init__(self, files: Sequence[KeyringFile], entries: dict[int, bytes], generation: int) -> None:
        self._files = files
        self._entries = entries
        self._generation = generation
        self._problems: list[str] = []

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
        if any(copy is None or copy.generation != newest.generation for copy in copies):
            ring._save(newest.generation)
        return ring

    async def hours(self) -> frozenset[int]:
        """See ``Keyring``."""
        return frozenset(self._entries)

    async def ensure(self, hours: Collection[int]) -> None:
        """See ``Keyring``."""
        missing = [hour for hour in hours if hour not in self._entries]
        if missing:
            before = dict(self._entries)
            # 256 random bits per hour of expiry. Nothing is derived from a master key: dropping one entry must destroy
            # it for good.
            self._entries.update((hour, os.urandom(32)) for hour in missing)
            self._save_or_restore(before)

    async def seal(self, hour_ns: int, plain: bytes, context: bytes) -> bytes:
        """See ``Keyring``."""
        nonce = os.urandom(_NONCE_SIZE)
        return _VERSION + nonce + self._cipher(hour_ns).encrypt(nonce, plain, context)

    async def open(self, hour_ns: int, sealed: bytes, context: bytes) -> bytes:
        """See ``Keyring``."""
        cipher = self._cipher(hour_ns)
        nonce, body = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            # A wrong version and a truncated message fail like a forged one: the caller learns nothing more.
            if sealed[:1] != _VERSION or len(nonce) != _NONCE_SIZE:
                raise InvalidTag
            return cipher.decrypt(nonce, body, context)
        except InvalidTag:
            raise KeyFileError(
                "A sealed private key does not open under its keyring entry.",
                "The row was changed, or the keyring belongs to another installation.",
            ) from None

    async def drop(self, hours: Collection[int]) -> None:
        """See ``Keyring``."""
        before = dict(self._entries)
        for hour in hours:
            self._entries.pop(hour, None)
        if self._entries != before:
            self._save_or_restore(before)

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

    def _cipher(self, hour_ns: int) -> AESGCM:
        key = self._entries.get(hour_ns)
        if key is None:
            raise NoKeyringEntryError(
                "The keyring has no entry for this hour of expiry: footage sealed under it stays closed."
            )
        return AESGCM(key)

    def _save_or_restore(self, before: dict[int, bytes]) -> None:
        try:
            self._save(self._generation + 1)
        except OSError:
            self._entries = before
            raise

    def _save(self, generation: int) -> None:
        for file in self._files:
            file.write(generation, self._entries)
        self._generation = generation
