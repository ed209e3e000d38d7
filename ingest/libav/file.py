"""A recorded file's pictures, through libav: one of a few containers, recognized by its first bytes.

libav runs in a process of its own that gets the open file and can reach nothing else (ingest/libav/worker.py). The
demuxer is forced: no playlist, no reference to another file or address is followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain.errors import MisuseError
from domain.time import NS
from ingest.access_unit import TICKS_PER_S, AccessUnit
from ingest.errors import IngestError, StreamError
from ingest.libav.messages import Kind, Message, MessageError, Splitter
from ingest.libav.packets import Packets
from ingest.video import parameters
from runtime.sandbox.decoder import worker_command, worker_environment

_CODECS = ("h264", "hevc")
_READ_BYTES = 1 << 20
_BACK_TICKS_MAX = 5 * TICKS_PER_S  # B-frames are shown out of order, not seconds apart
_LONGEST_TICKS = 14 * 24 * 3600 * TICKS_PER_S
_TS_PACKET = 188


class FileRefusedError(IngestError, MisuseError):
    """A file that cannot be imported as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What one pass over the whole file found. Ticks of 90 kHz; half-open."""

    codec: str  # "h264" or "h265"
    start_ticks: int
    shown_ticks: int  # of the first picture that a player shows: an edit list may hide what only decoding needs
    end_ticks: int
    pictures: int
    keys: int
    audio: bool  # there is sound; it is not imported
    size_bytes: int
    mtime_ns: int

    @property
    def duration_ns(self) -> int:
        """From the first picture's start to the last one's end."""
        return (self.end_ticks - self.start_ticks) * NS // TICKS_PER_S

    @property
    def hidden_ns(self) -> int:
        """How long before the first picture shown the first one is."""
        return (self.shown_ticks - self.start_ticks) * NS // TICKS_PER_S


def scan(path: Path) -> Iterator[FileFacts]:
    """Pass over the file; gives its facts so far now and then, and at last. FileRefusedError."""
    if not path.is_file():
        raise FileRefusedError(f"{path} is no file.", "Name a recorded file.")
    try:
        status = path.stat()
        path.open("rb").close()
    except OSError as error:
        raise FileRefusedError(f"{path} cannot be read ({error.strerror}).", "Check its owner and mode.") from None
    first = last = None
    recent: deque[int] = deque(maxlen=32)
    pictures = keys = 0
    with opened(path) as file:
        for unit in file.units():
            parameters.check(unit.parameters)
            ticks = unit.pts_ticks
            first = ticks if first is None else min(first, ticks)
            if last is not None and last - ticks > _BACK_TICKS_MAX:
                raise FileRefusedError(
                    f"The times in {path.name} go back after {(last - first) / TICKS_PER_S:.0f} s.",
                    "It is several recordings in one file: cut it, and import each with its own --start.",
                )
            recent.append(ticks)
            last = ticks if last is None else max(last, ticks)
            if last - first > _LONGEST_TICKS:
                raise FileRefusedError(f"The times in {path.name} span more than two weeks.", "Cut the file.")
            pictures += 1
            keys += unit.key
            if pictures % 500 == 0:
                yield _facts(file, status, (first, last + _frame_ticks(recent)), pictures, keys)
        if first is None or last is None or not keys:
            raise FileRefusedError(f"{path.name} holds no key frame.", "Only footage that can be decoded is imported.")
        yield _facts(file, status, (first, last + _frame_ticks(recent)), pictures, keys)


def _frame_ticks(recent: Iterable[int]) -> int:
    """How long a picture is shown, by the last ones; shown in another order than decoded where there are B-frames."""
    steps = sorted(after - before for before, after in pairwise(sorted(recent)) if after > before)
    return min(steps[len(steps) // 2], TICKS_PER_S) if steps else TICKS_PER_S // 25


def _facts(file: OpenedFile, status: Any, ticks: tuple[int, int], pictures: int, keys: int) -> FileFacts:
    return FileFacts(
        codec=file.codec,
        start_ticks=ticks[0],
        shown_ticks=ticks[0] if file.shown_ticks is None else file.shown_ticks,
        end_ticks=ticks[1],
        pictures=pictures,
        keys=keys,
        audio=file.audio,
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[OpenedFile]:
    """Closed on leaving. FileRefusedError: not a video, or another codec."""
    demuxer = _demuxer(path)
    command = (*worker_command("ingest.libav.worker"), "file", demuxer)
    with path.open("rb") as file:
        worker = subprocess.Popen(
            command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=worker_environment(), bufsize=0
        )
    try:
        yield OpenedFile(path, _messages(path, worker))
    except StreamError as error:
        raise FileRefusedError(f"{path.name}: {error.what}", "It cannot be imported as it is.") from None
    finally:
        worker.kill()
        worker.wait()
        assert worker.stdout is not None
        worker.stdout.close()


def _messages(path: Path, worker: subprocess.Popen[bytes]) -> Iterator[Message]:
    """Until the worker says that the file is at its end. FileRefusedError for everything else."""
    assert worker.stdout is not None
    splitter = Splitter()
    try:
        while data := os.read(worker.stdout.fileno(), _READ_BYTES):
            for message in splitter.push(data):
                if message.kind is Kind.END:
                    return
                if message.kind is Kind.ERROR:
                    raise _refusal(path, message.body)
                yield message
    except MessageError:
        pass
    raise FileRefusedError(f"{path.name} cannot be read as video (it ends its reader).", "Is it whole?")


def _refusal(path: Path, body: bytes) -> FileRefusedError:
    said = json.loads(body)
    if said.get("kind") == "no times":
        return FileRefusedError(
            f"{path.name} does not say when its pictures are shown.",
            "Put it into a container that does, e.g. with ffmpeg -c copy out.mp4.",
        )
    reason = str(said.get("reason", ""))[:100]
    return FileRefusedError(f"{path.name} cannot be read as video ({reason}).", "Is it whole?")


class OpenedFile:
    """``units()`` once."""

    def __init__(self, path: Path, messages: Iterator[Message]) -> None:
        self._path, self._messages = path, messages
        self.shown_ticks: int | None = None  # the earliest picture so far that is not hidden
        said: dict[str, Any] = next((json.loads(item.body) for item in messages if item.kind is Kind.STREAM), {})
        if not said.get("video"):
            raise FileRefusedError(f"There is no video in {path.name}.", "Name a file that holds H.264 or H.265.")
        self._name = str(said.get("codec"))
        if self._name not in _CODECS:
            raise FileRefusedError(
                f"{path.name} holds {self._name[:40]}.",
                "Only H.264 and H.265 are kept as they were recorded: convert it first.",
            )
        self.audio = bool(said.get("audio"))
        self._extradata = bytes.fromhex(said.get("extradata", ""))

    @property
    def codec(self) -> str:
        """ "h264" or "h265"."""
        return "h264" if self._name == "h264" else "h265"

    def units(self) -> Iterator[AccessUnit]:
        """In decode order; a picture arrives when it is shown."""
        packets = Packets(self._name, self._extradata)
        for message in self._messages:
            if message.kind not in (Kind.PACKET, Kind.HIDDEN):
                continue
            ticks = message.value
            if message.kind is Kind.PACKET:
                self.shown_ticks = ticks if self.shown_ticks is None else min(ticks, self.shown_ticks)
            unit = packets.unit(message.body, ticks, ticks * NS // TICKS_PER_S)
            if unit is not None:
                yield unit


def _demuxer(path: Path) -> str:
    """By the file's first bytes. FileRefusedError for any other container, text files and playlists among them."""
    with path.open("rb") as file:
        head = file.read(2 * _TS_PACKET + 1)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"styp"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:1] == b"\x47" and head[_TS_PACKET : _TS_PACKET + 1] in (b"\x47", b""):
        return "mpegts"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:3] == b"FLV":
        return "flv"
    if head[:4] == b"\x00\x00\x01\xba":
        return "mpeg"
    raise FileRefusedError(
        f"{path.name} is no MP4, Matroska, MPEG-TS, MPEG-PS, AVI or FLV file.", "Name the recorded file itself."
    )
