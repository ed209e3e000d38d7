"""The parent's side of the masking process: started, fed, watched, and ended with the call, whatever becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from domain.text import printable
from masking.covering import Clearing
from masking.errors import ClipRefusedError, MaskingAwayError, ModelMissingError
from masking.process.pipe import HEAD, INPUT_MAX, OUTPUT_MAX, SAID_MAX, Kind, packed, packed_json
from masking.tracks import Tracks
from runtime.sandbox.decoder import worker_command, worker_environment
from runtime.sandbox.held import Held, words

_log = logging.getLogger(__name__)
START_S: Final = 120.0
"""A new process loads OpenCV, libav and the model, behind whatever else a busy machine does (nice 10)."""
STUCK_S: Final = 180.0
"""So long may nothing come of it while it works."""
_ENDING_S: Final = 5.0
_LIMIT_S: Final = 60
_LIMIT_PER_S: Final = 15
"""Processor time, for each second of the clip: four to five times what a clip of 1080p was seen to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """film: an MP4; empty where the tracks alone were wanted. held: what confined the process."""

    tracks: Tracks
    film: bytes
    held: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """duration_s: of the clip, which decides how much processor time it gets

    model: an operator's own file for faces
    tracks, cleared: what a person has edited; None: everything that is found is masked
    film: False: the tracks alone
    """

    duration_s: float
    model: Path | None = None
    tracks: Tracks | None = None
    cleared: Collection[Clearing] = ()
    film: bool = True

    @property
    def cpu_s(self) -> int:
        """The limit."""
        return _LIMIT_S + round(_LIMIT_PER_S * self.duration_s)


async def mask_clip(
    pieces: AsyncIterable[bytes | memoryview], wish: Wish, progress: Callable[[int], None] = lambda _: None
) -> Masked:
    """Mask an MP4 that is handed over in pieces; ``progress`` gets 1 to 1000, growing. Cancelled, it ends the process.

    ClipRefusedError: the clip cannot be masked. ModelMissingError: something is not installed. MaskingAwayError.
    """
    command = (*worker_command("masking.process.worker"), str(wish.cpu_s), *([str(wish.model)] if wish.model else []))
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=worker_environment()
        )
    except OSError as exc:
        raise MaskingAwayError(f"The masking process cannot be started ({exc.strerror}).", "Try again.") from exc
    feeding: asyncio.Task[None] | None = None
    try:
        held = await _begun(process)
        feeding = asyncio.create_task(_feed(process, pieces, wish), name="clip to be masked")
        found = await _results(process, progress, feeding)
        if wish.film and not found[1]:
            raise await _broken(process, stuck=False)
        return Masked(tracks=Tracks.load(found[0]), film=found[1], held=held)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        await process.wait()


async def _begun(process: Process) -> Held:
    try:
        async with asyncio.timeout(START_S):
            kind, body = await _message(process)
    except (TimeoutError, asyncio.IncompleteReadError) as exc:
        raise MaskingAwayError("The masking process does not start.", "Try again.") from exc
    said = json.loads(body)
    if kind is Kind.LACKING:
        raise ModelMissingError(said["what"], said["remedy"])
    held = Held.load(said)
    if held.lacks:
        _log.warning("the masking process is not confined as to %s", words(held.lacks))
    return held


async def _feed(process: Process, pieces: AsyncIterable[bytes | memoryview], wish: Wish) -> None:
    assert process.stdin is not None
    order: dict[str, Any] = {
        "tracks": None if wish.tracks is None else wish.tracks.dump(),
        "cleared": [[each.track_id, each.first, each.end] for each in wish.cleared],
        "film": wish.film,
    }
    process.stdin.write(packed_json(Kind.ORDER, order))
    total = 0
    async for piece in pieces:
        total += len(piece)
        if total > INPUT_MAX:
            raise ClipRefusedError(f"The clip is larger than {INPUT_MAX >> 20} MB.", "Mask a shorter span.")
        with contextlib.suppress(ConnectionError):  # what it says then, or how it ends, tells more
            process.stdin.write(packed(Kind.CLIP, bytes(piece)))
            await process.stdin.drain()
    with contextlib.suppress(ConnectionError):
        process.stdin.write(packed(Kind.END, b""))
        await process.stdin.drain()


async def _results(
    process: Process, progress: Callable[[int], None], feeding: asyncio.Task[None]
) -> tuple[bytes, bytes]:
    """(tracks as JSON, film). What goes wrong with the clip's source is raised as it is."""
    tracks, film = b"", bytearray()
    while True:
        message = asyncio.create_task(_message(process), name="word of the masking process")
        try:
            await _first_of(message, feeding)
            kind, body = message.result()
            share, refusal = _read(kind, body)
        except (TimeoutError, ValueError, asyncio.IncompleteReadError) as exc:
            raise await _broken(process, isinstance(exc, TimeoutError)) from exc
        finally:
            message.cancel()
            await asyncio.gather(message, return_exceptions=True)
        if kind is Kind.PROGRESS:
            progress(share)
        elif kind is Kind.TRACKS:
            tracks = body
        elif kind is Kind.CLIP:
            film += body
            if len(film) > OUTPUT_MAX:
                raise ClipRefusedError("The masked clip is too large.", "Mask a shorter span.")
        elif kind is Kind.REFUSED:
            raise refusal
        elif kind is Kind.END:
            return tracks, bytes(film)


def _read(kind: Kind, body: bytes) -> tuple[int, ClipRefusedError]:
    """How far it is, and why it refuses, in one line. ValueError: neither. A hostile clip may say anything."""
    if kind is Kind.REFUSED:
        said = json.loads(body)
        if not (isinstance(said, dict) and {"what", "remedy"} <= said.keys()):
            raise ValueError("a refusal says nothing")
        return 0, ClipRefusedError(printable(str(said["what"]))[:300], printable(str(said["remedy"]))[:300])
    return min(max(int(body), 0), 1000) if kind is Kind.PROGRESS else 0, ClipRefusedError("", "")


async def _first_of(message: asyncio.Task[Any], feeding: asyncio.Task[None]) -> None:
    """Until the message is there. While the clip comes, its source decides how long that takes."""
    if not feeding.done():
        await asyncio.wait((message, feeding), return_when=asyncio.FIRST_COMPLETED)
        if feeding.done():
            feeding.result()
    async with asyncio.timeout(STUCK_S):
        await asyncio.shield(message)


async def _message(process: Process) -> tuple[Kind, bytes]:
    assert process.stdout is not None
    kind, length = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
    if length > SAID_MAX:
        raise ValueError("a message is too long")
    return Kind(kind), await process.stdout.readexactly(length)


async def _broken(process: Process, stuck: bool) -> ClipRefusedError:
    """Why it ended, as far as that can be seen from here."""
    late = stuck
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0 if stuck else _ENDING_S):
            late = await process.wait() == -signal.SIGXCPU
    early = "Masking ended early: the clip is damaged, or takes too much memory."
    what = "Masking the clip takes too long." if late else early
    return ClipRefusedError(what, "Mask a shorter span, or look at the clip in the player.")
