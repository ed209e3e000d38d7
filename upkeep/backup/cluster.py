"""The files of a PostgreSQL cluster as one compressed tar stream, in parts, and back.

A base copy is taken while the server works, between pg_backup_start() and pg_backup_stop() (PostgreSQL 18, 25.3.4):
what is torn or changes meanwhile is made whole by the write-ahead log from there on, without which it is worthless.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from runtime.failpoints import hit
from storage.backup.errors import BackupDamagedError

PART_BYTES: Final = 8 << 20
_BLOCK: Final = 1 << 20
_TAR_BLOCK: Final = 512
_LEVEL: Final = 1
# As the server's own base backup leaves them out (src/backend/backup/basebackup.c).
_EMPTIED: Final = (
    *("pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"),
)
_LEFT_OUT: Final = (
    *("postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "backup_manifest"),
    *("postgresql.auto.conf.tmp", "current_logfiles.tmp"),
)
_TEMPORARY: Final = ("pgsql_tmp", "pg_internal.init")
_CONTROL: Final = Path("global/pg_control")


class Packer:
    """Compresses a stream and cuts it into parts. ``files`` and ``size_bytes`` count what went in."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(_LEVEL)
        self._held = bytearray()
        self.files = 0
        self.size_bytes = 0

    def cluster(self, root: Path) -> Iterator[bytes]:
        """Parts of the tar stream of ``root``, which a server writes to meanwhile. Blocks: call it on a thread."""
        paths = [path for path in _found(root) if path.relative_to(root) != _CONTROL]
        for path in (*paths, root / _CONTROL):  # the control file last, as the server does it
            for block in _entry(path, str(path.relative_to(root))):
                yield from self._push(block)
            self.files += 1

    def last(self, label: str) -> Iterator[bytes]:
        """The rest, with the label that pg_backup_stop() returned."""
        data = label.encode()
        yield from self._push(_head("backup_label", len(data)) + data + _padding(len(data)))
        yield from self._push(bytes(2 * _TAR_BLOCK))
        self._held += self._compress.flush()
        yield bytes(self._held)

    def _push(self, block: bytes) -> Iterator[bytes]:
        self.size_bytes += len(block)
        self._held += self._compress.compress(block)
        if len(self._held) >= PART_BYTES:
            yield bytes(self._held)
            self._held.clear()


def _found(root: Path) -> Iterator[Path]:
    """What is copied; directories before what is in them."""
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield path
            if path.parent != root or path.name not in _EMPTIED:
                yield from _found(path)
        elif path.is_file() and not path.name.startswith(_TEMPORARY) and path.name not in _LEFT_OUT:
            yield path


def _entry(path: Path, name: str) -> Iterator[bytes]:
    """Header, contents, padding. A file that shrinks meanwhile is filled with zeros, as long as it was."""
    if path.is_dir():
        yield _head(name, 0, tarfile.DIRTYPE)
        return
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # a table that was dropped meanwhile: the log says so, too
    with file:
        size = left = file.seek(0, io.SEEK_END)
        file.seek(0)
        yield _head(name, size)
        while left:
            block = file.read(min(left, _BLOCK)) or bytes(min(left, _BLOCK))
            left -= len(block)
            yield block
    yield _padding(size)


def _head(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, kind, 0o700 if kind == tarfile.DIRTYPE else 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _TAR_BLOCK)


class _Stream(io.RawIOBase):
    """The decompressed stream, for tarfile."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._decompress = zlib.decompressobj()
        self._tail = b""

    def readable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        """See ``io.RawIOBase``."""
        data = self._read(len(into))
        into[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        while not self._decompress.eof:
            data = self._decompress.decompress(self._tail, size)
            self._tail = self._decompress.unconsumed_tail
            if data:
                return data
            self._tail += next(self._parts, b"")
            if not self._tail:
                raise BackupDamagedError("The copy of the database ends early.", "Name another set.")
        return b""


def unpack_cluster(parts: Iterable[bytes], into: Path) -> int:
    """Write the files of the stream below ``into``; how many. Blocks. BackupDamagedError, OSError."""
    count = 0
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Stream(parts), _BLOCK), mode="r|") as tar:
            for info in tar:
                tar.extract(info, into, set_attrs=False, filter="data")
                path = into / info.name
                path.chmod(0o700 if info.isdir() else 0o600)
                count += 1
                hit("restore.file")
    except (tarfile.TarError, zlib.error) as exc:
        raise BackupDamagedError("The copy of the database cannot be read.", "Name another set.") from exc
    return count
