"""The small files of a backup: configuration, secrets, signed heads. What changed since the last time is sent.

A file that has only grown, as the file of signed heads does each time, is sent from where it ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from runtime.private_files import private_directory, write_private
from storage.backup.errors import BackupDamagedError
from storage.keys.keyring_file import KEYRING_MAGIC

FILE_MAX_BYTES: Final = 64 << 20
_TRANSIENT: Final = (".new", ".lock")
Sent = dict[str, Any]
"""By name: [size, SHA-256 in hex] of what the backup holds. JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``data`` replaces what is behind ``offset``; None: the file is gone."""

    name: str
    offset: int
    data: bytes | None


@dataclass(slots=True)
class Changes:
    """What differs from what was sent; what the backup holds with it; what could not be read."""

    found: list[Change] = field(default_factory=list)
    holds: Sent = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def changes(files: Mapping[str, Path], sent: Sent) -> Changes:
    """Compare ``files`` with ``sent``. A file that cannot be read stays in the backup as it was. Blocks."""
    result = Changes()
    found, holds = result.found, result.holds
    for name, path in _each(files):
        try:
            data = path.read_bytes()
        except OSError:
            result.unread.append(name)
            if name in sent:
                holds[name] = sent[name]
            continue
        if data.startswith(KEYRING_MAGIC):
            continue  # a replica of the keyring that lies among them: in no backup, or expiry would not reach it
        digest = hashlib.sha256(data).hexdigest()
        holds[name] = [len(data), digest]
        size, before = sent.get(name, (0, ""))
        if digest == before:
            continue
        offset = size if before and hashlib.sha256(data[:size]).hexdigest() == before else 0
        found.append(Change(name=name, offset=offset, data=data[offset:]))
    found += [Change(name=name, offset=0, data=None) for name in sent if name not in holds]
    return result


def _each(files: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    for name, path in files.items():
        if path.is_dir():
            for child in sorted(path.rglob("*")):
                if child.is_file() and not child.is_symlink() and child.suffix not in _TRANSIENT:
                    yield f"{name}/{child.relative_to(path)}", child
        elif path.is_file() and path.stat().st_size <= FILE_MAX_BYTES:
            yield name, path


class FileTree:
    """Files as they were at some time, from all changes until then."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def apply(self, change: Change) -> None:
        """The next one. BackupDamagedError when it does not follow the one before."""
        if change.data is None:
            self.files.pop(change.name, None)
            return
        before = self.files.get(change.name, b"")[: change.offset]
        if len(before) != change.offset:
            raise BackupDamagedError(f"The file {change.name} of the backup lacks its beginning.", "Name another set.")
        self.files[change.name] = before + change.data

    def write(self, prefix: str, root: Path) -> list[Path]:
        """Write those whose name begins with ``prefix``, a directory's, below ``root``. BackupDamagedError, OSError."""
        written = []
        for name, data in sorted(self.files.items()):
            if not name.startswith(prefix + "/"):
                continue
            inside = PurePosixPath(name.removeprefix(prefix + "/"))
            if inside.is_absolute() or ".." in inside.parts:
                raise BackupDamagedError(f"The backup names a file outside of its place: {name!r}.")
            path = root / inside
            for parent in reversed(path.relative_to(root).parents[:-1]):
                private_directory(root / parent)
            write_private(path, data)
            written.append(path)
        return written
