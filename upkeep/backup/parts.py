"""Names and contents of the parts of a set.

``<set>/head``; ``<set>/base-000000`` and on: the compressed copy of the cluster; ``<set>/base``: says how many there
are, written last; ``<set>/log-00000000`` and on: what came since, in order, each with the small files that changed.
A set without ``base`` is half written. Its name is the UTC second of its beginning, and six random digits.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.time import NS
from storage.backup.errors import BackupDamagedError
from upkeep.backup.files import Change

HEAD, BASE = "head", "base"
FORMAT: Final = 1
_SET: Final = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{6}")
_TIME: Final = "%Y%m%dT%H%M%SZ"
_LENGTH: Final = 4
_PACKED_MAX: Final = 512 << 20


def new_set_id(now_ns: int) -> str:
    """A name that no other set has."""
    return f"{datetime.fromtimestamp(now_ns // NS, tz=UTC).strftime(_TIME)}-{os.urandom(3).hex()}"


def created_ns(set_id: str) -> int | None:
    """When it began, by its name; None: that is no set's name."""
    match = _SET.fullmatch(set_id)
    if match is None:
        return None
    try:
        return int(datetime.strptime(match[1], _TIME).replace(tzinfo=UTC).timestamp()) * NS
    except ValueError:
        return None


def base_part(number: int) -> str:
    """Name of a part of the copy."""
    return f"base-{number:06d}"


def log_part(number: int) -> str:
    """Name of a part of the log."""
    return f"log-{number:08d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What ``base`` says. Without a database (the operator's own) the copy has no parts."""

    format: int
    at_ns: int
    parts: int
    files: int = 0
    size_bytes: int = 0  # of the cluster
    major: int = 0  # version of PostgreSQL; 0: no database
    timeline: int = 0
    segment_bytes: int = 0
    start: int = 0  # positions in the log; between them it makes the copy whole
    stop: int = 0

    def pack(self) -> bytes:
        """JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Base:
        """BackupDamagedError: of another version."""
        body = json.loads(data)
        if body.get("format") != FORMAT:
            raise BackupDamagedError(
                f"The backup has format {body.get('format')}; this version reads {FORMAT}.",
                "Restore it with the version of Tallenne that made it.",
            )
        return cls(**body)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """The log's bytes [start, start + len(wal)), and files that changed. Everything before ``at_ns`` is in, if set."""

    at_ns: int
    start: int
    wal: bytes
    files: tuple[Change, ...] = ()

    @property
    def end(self) -> int:
        """The position behind it."""
        return self.start + len(self.wal)

    def pack(self) -> bytes:
        """Length u32 | JSON | zlib of the files' bytes and the log's."""
        files = [[one.name, one.offset, None if one.data is None else len(one.data)] for one in self.files]
        head = json.dumps({"at_ns": self.at_ns, "start": self.start, "files": files}).encode()
        bodies = b"".join(one.data or b"" for one in self.files)
        return len(head).to_bytes(_LENGTH) + head + zlib.compress(bodies + self.wal, 1)

    @classmethod
    def unpack(cls, data: bytes) -> LogPart:
        """What ``pack()`` made: it is authentic."""
        at = _LENGTH + int.from_bytes(data[:_LENGTH])
        head: dict[str, Any] = json.loads(data[_LENGTH:at])
        body = zlib.decompressobj().decompress(data[at:], _PACKED_MAX)
        files, place = [], 0
        for name, offset, size in head["files"]:
            files.append(Change(name=name, offset=offset, data=None if size is None else body[place : place + size]))
            place += size or 0
        return cls(at_ns=head["at_ns"], start=head["start"], wal=body[place:], files=tuple(files))
