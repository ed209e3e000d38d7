"""Reads a place of backups: which sets it holds, and what is in one."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.time import to_iso
from runtime.failpoints import hit
from storage.backup.errors import BackupDamagedError, BackupPlaceError, RecoveryKeyError
from storage.backup.place import BackupPlace
from storage.backup.recovery import RecoveryKey
from storage.backup.sealing import open_head, open_part
from upkeep.backup.cluster import unpack_cluster
from upkeep.backup.files import FileTree
from upkeep.backup.parts import BASE, HEAD, Base, LogPart, base_part, created_ns, log_part
from upkeep.backup.wal import Wal

_LOG: Final = re.compile(r"log-(\d{8})")
_AHEAD: Final = 4
Progress = Callable[[str, int, int], None]
"""What is read, and how many parts of how many so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetListing:
    """What a place holds of one set, by names alone."""

    set_id: str
    created_ns: int
    names: frozenset[str]  # within the set
    logs: int  # parts of the log without a hole, from the first on
    beyond: int  # parts behind a hole: they cannot be used

    @property
    def half(self) -> bool:
        """Whether it was never finished."""
        return not {HEAD, BASE} <= self.names or not self.logs


async def list_sets(place: BackupPlace) -> list[SetListing]:
    """The oldest first. Names that are no set's are left out. OSError, the store's errors."""
    found: dict[str, set[str]] = {}
    for name in await place.names():
        set_id, _, part = name.partition("/")
        if created_ns(set_id) is not None:
            found.setdefault(set_id, set()).add(part)
    return [_listing(set_id, names) for set_id, names in sorted(found.items())]


def _listing(set_id: str, names: set[str]) -> SetListing:
    numbers = {int(match[1]) for name in names if (match := _LOG.fullmatch(name))}
    logs = next(number for number in range(len(numbers) + 1) if number not in numbers)
    return SetListing(
        set_id=set_id,
        created_ns=created_ns(set_id) or 0,
        names=frozenset(names),
        logs=logs,
        beyond=len(numbers) - logs,
    )


async def choose(place: BackupPlace, set_id: str = "") -> SetListing:
    """The newest whole set, or the one of that name. BackupPlaceError."""
    sets = await list_sets(place)
    whole = [one for one in sets if not one.half and set_id in ("", one.set_id)]
    if whole:
        return whole[-1]
    if set_id:
        raise BackupPlaceError(f"There is no whole set {set_id}.", "`tallenne restore --list` shows those there are.")
    raise BackupPlaceError(
        f"The place holds no whole backup ({len(sets)} half-written sets).",
        "Name another place, or another copy of it.",
    )


async def furthest(place: BackupPlace, key: RecoveryKey) -> SetListing:
    """The whole set that reaches furthest: the newest, unless another one got more of the log since it began.

    A set that was made by hand gets none, and after a crash the role goes on with the older one. Times alone do not
    decide (a clock may have been ahead), nor positions alone (an older set may have been restored and gone on with).
    Errors as of ``choose()``, and of the newest set as of ``key_of()``.
    """
    best = await choose(place)
    try:
        reach = await _end_of(place, best, key)
    except RecoveryKeyError as exc:
        raise await _of_another_key(place, best, key, exc) from exc
    for one in await list_sets(place):
        if one.half or one.set_id == best.set_id:
            continue
        try:
            end = await _end_of(place, one, key)
        except (RecoveryKeyError, BackupDamagedError):  # an older key's, or nothing to go on with
            continue
        if end.at_ns > reach.at_ns and end.end >= reach.end:
            best, reach = one, end
    return best


async def _of_another_key(
    place: BackupPlace, newest: SetListing, key: RecoveryKey, error: RecoveryKeyError
) -> RecoveryKeyError:
    """The error's text: the place may hold the sets of two installations. An older set is never taken silently."""
    for one in reversed(await list_sets(place)):
        with contextlib.suppress(RecoveryKeyError, BackupDamagedError):
            if not one.half and await key_of(place, one.set_id, key):
                return RecoveryKeyError(
                    f"The newest set {newest.set_id} belongs to another recovery key; this one opens {one.set_id}.",
                    f"If {newest.set_id} is of another installation, or from after a change of the key that you mean to"
                    f" undo, say which set you want: `--set {one.set_id}`.",
                )
    return error


async def _end_of(place: BackupPlace, listing: SetListing, key: RecoveryKey) -> LogPart:
    """The last part of a set's log."""
    name = log_part(listing.logs - 1)
    set_key = await key_of(place, listing.set_id, key)
    return LogPart.unpack(open_part(name, await place.get(f"{listing.set_id}/{name}"), set_key))


async def key_of(place: BackupPlace, set_id: str, key: RecoveryKey) -> bytes:
    """The key of a set. RecoveryKeyError, BackupDamagedError."""
    name = f"{set_id}/{HEAD}"
    return open_head(name, await place.get(name), set_id, key).set_key


@dataclass(slots=True, kw_only=True)
class Opened:
    """A set as it was at its last part: the small files in memory, the database on disk."""

    base: Base
    tree: FileTree = field(default_factory=FileTree)
    position: int = 0
    at_ns: int = 0  # everything committed before is in it


class SetReader:
    """One set, with its key."""

    def __init__(self, place: BackupPlace, listing: SetListing, set_key: bytes) -> None:
        self._place, self._listing, self._key = place, listing, set_key

    async def base(self) -> Base:
        """What the set says of its copy of the database. Errors as of ``open()``."""
        return Base.unpack(await self._part(BASE))

    async def open(
        self,
        cluster: Path | None,
        progress: Progress = lambda *_: None,
        check: Callable[[Base], None] = lambda _: None,
        until: int = 0,
    ) -> Opened:
        """Write the database below ``cluster``, an empty directory; None: read everything and write nothing.

        ``check`` may refuse the set before anything is written. ``until``: a position in the log; 0: all there is.
        BackupDamagedError, OSError, the store's errors.
        """
        base = await self.base()
        check(base)
        opened = Opened(base=base, position=base.start)
        if base.major:
            await self._cluster(base, cluster, progress)
        wal = None
        if cluster is not None and base.major:
            wal = Wal(directory=cluster / "pg_wal", timeline=base.timeline, segment_bytes=base.segment_bytes)
        for number in range(self._listing.logs):
            part = LogPart.unpack(await self._part(log_part(number)))
            if part.start != opened.position:
                raise BackupDamagedError(f"{log_part(number)} does not follow the one before.", "Name another set.")
            for change in part.files:
                opened.tree.apply(change)
            if wal is not None:
                data = part.wal[: until - part.start] if until else part.wal
                await asyncio.to_thread(wal.write, part.start, data)
            opened.position, opened.at_ns = part.end, max(opened.at_ns, part.at_ns)
            progress("log", number + 1, self._listing.logs)
            hit("restore.log")
            if until and opened.position >= until:
                break
        if opened.position < base.stop:
            raise BackupDamagedError(
                f"The log of set {self._listing.set_id} ends before its copy of the database is whole"
                f" ({to_iso(self._listing.created_ns)}).",
                "Name another set.",
            )
        return opened

    async def _cluster(self, base: Base, cluster: Path | None, progress: Progress) -> None:
        """Unpacking runs on a thread; the parts are read here, a few ahead."""
        parts: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        unpacking = asyncio.create_task(asyncio.to_thread(_unpack, parts, cluster))
        try:
            async for number, part in self._base_parts(base):
                while not unpacking.done():
                    try:
                        await asyncio.to_thread(parts.put, part, timeout=1.0)
                        break
                    except queue.Full:
                        continue
                if unpacking.done():
                    break
                progress("database", number + 1, base.parts)
        finally:
            if not unpacking.done():
                await asyncio.to_thread(parts.put, None)
            await unpacking

    async def _base_parts(self, base: Base) -> AsyncIterator[tuple[int, bytes]]:
        for number in range(base.parts):
            yield number, await self._part(base_part(number))

    async def _part(self, name: str) -> bytes:
        data = await self._place.get(f"{self._listing.set_id}/{name}")
        return await asyncio.to_thread(open_part, name, data, self._key)


def _unpack(parts: queue.Queue[bytes | None], cluster: Path | None) -> None:
    def each() -> Iterator[bytes]:
        while (part := parts.get()) is not None:
            yield part

    if cluster is None:
        for _ in each():
            pass
    else:
        unpack_cluster(each(), cluster)
