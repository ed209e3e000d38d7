"""The keyring: one random key per UTC hour of expiry. Dropping a key kills all that is sealed under it, everywhere.

A provider keeps the keys: a file here; Vault or a KMS could do the same without handing a key out.
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
    """What the custodian asks of a provider. ``hour_ns``: the UTC hour at whose start the entry is to be dropped."""

    async def hours(self) -> frozenset[int]:
        """The entries that exist."""
        ...

    async def ensure(self, hours: Collection[int]) -> None:
        """Make the entries that are missing, durable in every replica before this returns."""
        ...

    async def seal(self, hour_ns: int, plain: bytes, context: bytes) -> bytes:
        """Seal a private key. NoKeyringEntryError."""
        ...

    async def open(self, hour_ns: int, sealed: bytes, context: bytes) -> bytes:
        """Open it again. NoKeyringEntryError; KeyFileError when it does not open under the entry."""
        ...

    async def drop(self, hours: Collection[int]) -> None:
        """Destroy entries, in every replica, for good."""
        ...

    async def problems(self) -> list[str]:
        """What an operator must mend: a replica missing or damaged."""
        ...


class FileKeyring:
    """A keyring in a small file and its replicas, overwritten in place.

    Sealed form: version u8 = 1 | nonce 12 | AES-256-GCM ciphertext and tag, associated data = context.
    """

    def __init__(self, files: Sequence[KeyringFile], entries: dict[int, bytes], generation: int) -> None:
        self._files = files
        self._entries = entries
        self._generation = generation
        self._problems: list[str] = []

    @classmethod
    def create(cls, paths: Sequence[Path]) -> FileKeyring:
        """A new, empty keyring. KeyFileError when any of the files exists."""
        files = [KeyringFile(path) for path in paths]
        for file in files:
            file.create()
        return cls(files, {}, 0)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> FileKeyring:
        """The newest whole copy; the others are brought up to it. KeyFileError when none is whole, or one is open
        to others.
        """
        files = [KeyringFile(path) for path in paths]
        for file in files:
            file.clear_scratch()
        copies = [file.read() for file in files]
        whole = [copy for copy in copies if copy is not None]
        if not whole:
            raise KeyFileError(
                f"No whole keyring at {', '.join(map(str, paths))}.",
                "Restore a replica of the keyring. Without it no footage opens.",
            )
        newest = max(whole, key=lambda copy: copy.generation)
        ring = cls(files, dict(newest.entries), newest.generation)
        if any(copy is None or copy.generation != newest.generation for copy in copies):
            ring._save(newest.generation)
        return ring

    async def hours(self) -> frozenset[int]:
        return frozenset(self._entries)

    async def ensure(self, hours: Collection[int]) -> None:
        missing = [hour for hour in hours if hour not in self._entries]
        if missing:
            before = dict(self._entries)
            self._entries.update((hour, os.urandom(32)) for hour in missing)
            self._save_or_restore(before)

    async def seal(self, hour_ns: int, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_SIZE)
        return _VERSION + nonce + self._cipher(hour_ns).encrypt(nonce, plain, context)

    async def open(self, hour_ns: int, sealed: bytes, context: bytes) -> bytes:
        cipher = self._cipher(hour_ns)
        nonce, body = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            if sealed[:1] != _VERSION:
                raise InvalidTag
            return cipher.decrypt(nonce, body, context)
        except InvalidTag:
            raise KeyFileError(
                "A sealed private key does not open under its keyring entry.",
                "The row was changed, or the keyring is of another installation.",
            ) from None

    async def drop(self, hours: Collection[int]) -> None:
        before = dict(self._entries)
        for hour in hours:
            self._entries.pop(hour, None)
        if self._entries != before:
            self._save_or_restore(before)

    async def problems(self) -> list[str]:
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
            raise NoKeyringEntryError("The keyring has no entry for this hour of expiry: what it sealed is gone.")
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
