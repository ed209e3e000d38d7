"""The power fails, and of what was not synced an arbitrary part is gone.

With ``fsync = true`` what was accepted is not; without, the time of what is gone becomes a gap.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from domain.footage import GapCause
from domain.time import NS, subtract_spans
from ingest.recording.publishing import Publishing
from ingest.spool import Pending
from ingest.spool.lost_time import recent_footage
from tests.support.footage.recording import Rig, assert_tiled, make_rig, until

PAGE = 4096


class Disk:
    """Knows what was synced below a folder, and what a power cut may leave of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.synced = 0
        self._lock = threading.Lock()
        self._dark = False
        self._names: dict[Path, dict[str, int]] = {}  # of a folder when it was last synced
        self._since: dict[Path, list[dict[str, int]]] = {}  # its later states
        self._held: dict[int, BinaryIO] = {}
        self._bytes: dict[int, bytes] = {}  # of a file when it was last synced, by inode
        if folder.exists():
            for path in [folder, *folder.rglob("*")]:
                if path.is_dir():
                    self._names[path] = _listing(path)
                else:
                    self._know(path)
        monkeypatch.setattr(os, "fsync", self._sync)
        monkeypatch.setattr(os, "fdatasync", self._sync)
        for name in ("rename", "replace", "unlink"):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name)))

    def _sync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not str(path).startswith(str(self.folder)):
            return
        with self._lock:
            if self._dark:
                return
            self.synced += 1
            if path.is_dir():
                self._names[path] = _listing(path)
                self._since[path] = []
            else:
                self._know(Path(f"/proc/self/fd/{descriptor}"))

    def _noting(self, change: Callable[..., None]) -> Callable[..., None]:
        def changed(path: Path, *more: Path) -> None:
            self._note(path)
            change(path, *more)
            self._note(path)

        return changed

    def _note(self, path: Path) -> None:
        folder = Path(path).parent
        with self._lock:
            if folder.is_relative_to(self.folder) and not self._dark:
                self._since.setdefault(folder, []).append(_listing(folder))

    def _know(self, path: Path) -> None:
        file = path.open("rb")
        inode = os.fstat(file.fileno()).st_ino
        self._bytes[inode] = file.read()
        # Kept open, so that no other file gets its number.
        if self._held.setdefault(inode, file) is not file:
            file.close()

    def close(self) -> None:
        """A thread may still be syncing: it syncs nothing any more."""
        for file in self._held.values():
            file.close()

    def cut(self, dice: random.Random, into: Path) -> None:
        """What is on the disk when it is mounted again: names and bytes as synced, or any later state of each."""
        with self._lock:
            self._dark = True
        contents: dict[int, bytes] = {}
        for path in self.folder.rglob("*"):
            if path.is_file():
                status = path.stat()
                now = path.read_bytes()
                before = self._bytes.get(status.st_ino, b"")
                contents[status.st_ino] = _between(dice, before, now)
        self._restore(self.folder, into, contents, dice)

    def _restore(self, source: Path, into: Path, contents: dict[int, bytes], dice: random.Random) -> None:
        into.mkdir(mode=0o700)
        # File systems keep the order of names: any state since the folder was synced may be found.
        names = dict(dice.choice([self._names.get(source, {}), *self._since.get(source, []), _listing(source)]))
        for name, inode in names.items():
            if (source / name).is_dir():
                self._restore(source / name, into / name, contents, dice)
            else:
                data = contents.get(inode, self._bytes.get(inode, b""))
                (into / name).write_bytes(data)


def _listing(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def _between(dice: random.Random, before: bytes, now: bytes) -> bytes:
    """Appended bytes reach the disk page by page, in any order: the length may be there and a page not yet."""
    if now[: len(before)] != before or dice.random() < 0.4:
        return before if dice.random() < 0.7 else now
    length = dice.randrange(len(before), len(now) + 1)
    found = bytearray(now[:length])
    if dice.random() < 0.5:
        for page in range(len(before) // PAGE, length // PAGE + 1):
            if dice.random() < 0.3:
                start, end = max(len(before), page * PAGE), min(length, (page + 1) * PAGE)
                found[start:end] = bytes(max(0, end - start))
    return bytes(found)


async def scene(rig: Rig, dice: random.Random) -> list[Pending]:
    """Record until the power fails. What was handed to the uploader counts as accepted."""
    accepted: list[Pending] = []
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder(drain_s=0) as recorder:
            offer = recorder._uploader.offer

            def accept(pending: Pending, *, fresh: bool = True) -> None:
                accepted.append(pending)
                offer(pending, fresh=fresh)

            recorder._uploader.offer = accept  # type: ignore[method-assign]
            recorder.publishing._offer = accept
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            for _ in range(dice.randrange(1, 6)):
                if dice.random() < 0.4:
                    rig.now_ns += NS
                    camera.missing(rig.now_ns, GapCause.LOSS)
                rig.segment(camera, dice.randrange(1, 5), size=dice.choice((400, 20_000, 60_000)))
                await asyncio.sleep(dice.choice((0, 0, 0.02)))
            rig.begin(camera)
            rig.hand_in(camera, dice.randrange(1, 6))
            if dice.random() < 0.3:
                await asyncio.sleep(0.6)  # what is open is synced, too
            raise KeyboardInterrupt
    return accepted


async def one(directory: Path, monkeypatch: pytest.MonkeyPatch, seed: int, *, fsync: bool = True) -> int:
    """How many accepted segments are missing after three power cuts; time is tiled."""
    lost = 0
    dice = random.Random(seed)
    rig = make_rig(directory)
    rig.more = {"fsync": fsync}
    for turn in range(3):
        rig.store.away, rig.catalogue.away = dice.random() < 0.5, dice.random() < 0.5
        with monkeypatch.context() as patched:
            disk = Disk(rig.directory / "spool", patched)
            # Nobody finishes anything in good order after the lights went out.
            patched.setattr("ingest.recording.publishing.Publishing.finished", _at_once)
            accepted = await scene(rig, dice)
            disk.cut(dice, rig.directory / "after")
            disk.close()
            assert disk.synced > 0 or not fsync
        shutil.rmtree(rig.directory / "spool")
        (rig.directory / "after").rename(rig.directory / "spool")
        committed = set(rig.catalogue.segments)
        rig.store.away = rig.catalogue.away = False
        rig.now_ns += 2 * NS
        async with rig.recorder() as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            await until(lambda recorder=recorder: not recorder.lost_time._waiting)
            if turn == 2:
                rig.segment(camera)
                rig.stop(camera)
            else:
                camera.stop(rig.now_ns)
        lost += len({pending.place.segment_id for pending in accepted} - set(rig.catalogue.segments))
        assert committed <= set(rig.catalogue.segments)
    known = [one.span for one in (*rig.catalogue.live(), *rig.catalogue.gaps(rig.cameras[0]))]
    # Stored, then cut short by the power cut before its row was there: the whole object waits for `reconcile`.
    parked = recent_footage(recorder._spool, sorted(recorder._uploader._parked)).get(rig.cameras[0], [])
    assert_tiled(known, [left for span in parked for left in subtract_spans(span, sorted(known))])
    assert not (fsync and parked)
    if fsync:
        rig.check(lost_at_most=1000)
        assert recorder.stats().damaged == 0
    return lost


async def _at_once(self: Publishing) -> None:
    for task in self._tasks:
        task.cancel()
    await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.mark.parametrize("seed", range(12))
async def test_power_cut_loses_nothing_that_was_accepted_and_leaves_time_tiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert await one(tmp_path, monkeypatch, seed) == 0


async def test_power_cut_without_fsync_does_lose_and_leaves_time_tiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control, too: the disk that this test simulates does forget."""
    lost = 0
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        lost += await one(folder, monkeypatch, seed, fsync=False)
    assert lost > 0
