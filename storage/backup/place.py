"""Where backups are kept: a directory, or a bucket of any S3. Parts are created whole, and never overwritten."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final, Protocol

from runtime.private_files import sync_directory, write_private
from storage.backup.errors import BackupDamagedError, BackupExistsError
from storage.store import ObjectStore
from storage.store.errors import ObjectConflictError, ObjectMissingError, StoreProtocolError

PREFIX: Final = "backup/v1/"
_UNFINISHED: Final = ".new"


class BackupPlace(Protocol):
    """Names begin with the set's id and a slash. Methods raise OSError or the store's errors."""

    async def prepare(self) -> None:
        """Make the place if it is not there."""
        ...

    async def put(self, name: str, data: bytes) -> None:
        """Create it, durable on return. BackupExistsError: the name is taken."""
        ...

    async def get(self, name: str) -> bytes:
        """BackupDamagedError: there is none of that name."""
        ...

    async def names(self, prefix: str = "") -> list[str]:
        """All names that begin with ``prefix``, in order."""
        ...

    async def delete(self, name: str) -> None:
        """Nothing when it is not there."""
        ...


class BackupDirectory:
    """A directory for backups alone."""

    def __init__(self, root: Path) -> None:
        """What lies in it is sealed: a share for others, too, will do."""
        self._root = root

    async def prepare(self) -> None:
        """See ``BackupPlace``."""
        await asyncio.to_thread(self._root.mkdir, mode=0o700, parents=True, exist_ok=True)

    async def put(self, name: str, data: bytes) -> None:
        """See ``BackupPlace``."""
        await asyncio.to_thread(self._put, name, data)

    def _put(self, name: str, data: bytes) -> None:
        path = self._root / name
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self._root)
        if path.exists():
            raise BackupExistsError(f"{path} exists already.", "Tallenne did not overwrite it.")
        write_private(path, data, failpoint="backup.put")

    async def get(self, name: str) -> bytes:
        """See ``BackupPlace``."""
        try:
            return await asyncio.to_thread((self._root / name).read_bytes)
        except FileNotFoundError:
            raise _missing(str(self._root / name)) from None

    async def names(self, prefix: str = "") -> list[str]:
        """See ``BackupPlace``."""
        return await asyncio.to_thread(self._names, prefix)

    def _names(self, prefix: str) -> list[str]:
        found = [
            str(path.relative_to(self._root))
            for path in self._root.glob("*/*")
            if path.is_file() and path.suffix != _UNFINISHED
        ]
        return sorted(name for name in found if name.startswith(prefix))

    async def delete(self, name: str) -> None:
        """See ``BackupPlace``. The last one takes its directory along."""
        path = self._root / name

        def remove() -> None:
            """The part, and what a crash left of an attempt to write it."""
            path.unlink(missing_ok=True)
            path.with_name(path.name + _UNFINISHED).unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()

        await asyncio.to_thread(remove)


class BackupBucket:
    """Below ``PREFIX`` in a bucket, which may hold other things."""

    def __init__(self, store: ObjectStore) -> None:
        """``store``: of a user that may create, list, read and delete there."""
        self._store = store

    async def prepare(self) -> None:
        """See ``BackupPlace``."""
        await self._store.ensure_bucket()

    async def put(self, name: str, data: bytes) -> None:
        """See ``BackupPlace``."""
        try:
            await self._store.put_new(PREFIX + name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
        except ObjectConflictError as exc:
            raise BackupExistsError(f"{name} exists already.", "Tallenne did not overwrite it.") from exc

    async def get(self, name: str) -> bytes:
        """See ``BackupPlace``."""
        info = await self._store.stat(PREFIX + name)
        if info is None:
            raise _missing(name)
        try:
            return await self._store.get_range(PREFIX + name, 0, info.size_bytes)
        except (ObjectMissingError, StoreProtocolError):
            raise _missing(name) from None

    async def names(self, prefix: str = "") -> list[str]:
        """See ``BackupPlace``."""
        return sorted([name async for name in self._names(prefix)])

    async def _names(self, prefix: str) -> AsyncIterator[str]:
        async with aclosing(self._store.list(PREFIX + prefix)) as infos:
            async for info in infos:
                yield info.name.removeprefix(PREFIX)

    async def delete(self, name: str) -> None:
        """See ``BackupPlace``."""
        await self._store.delete(PREFIX + name)


def _missing(name: str) -> BackupDamagedError:
    return BackupDamagedError(f"{name} is missing from the backup.", "Name another set, or another copy of the backup.")
