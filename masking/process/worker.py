"""The masking process: a clip comes in, tracks and a masked clip go out. It can do nothing else.

Run as ``python -m masking.process.worker CPU_S [MODEL]``: messages of pipe.py on its standard streams. What it needs
from disk, the model and OpenCV's code, is loaded and warmed up before it confines itself (runtime/sandbox/decoder.py),
so before the first foreign byte.
One clip, then it ends.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
import av.logging
import numpy as np

from masking.covering import Clearing, Cover
from masking.detecting import Finders, detect
from masking.detectors.faces import Faces
from masking.detectors.models import face_model, load_cv2
from masking.detectors.moving import Moving
from masking.detectors.persons import Persons
from masking.errors import ClipRefusedError, ModelMissingError, TracksError
from masking.fill import paint
from masking.process.pipe import INPUT_MAX, OUTPUT_MAX, Kind, packed, packed_json, read
from masking.tracks import Tracks
from masking.video import Clip, Shown, encode
from runtime.sandbox.decoder import confine

MEMORY_BYTES: Final = 3 << 30
THREADS: Final = 2
_NICE: Final = 10
"""Recording comes first."""
_DETECTING: Final = 800
"""Of 1000 parts of the work, so many are detection's."""
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done. ``tracks``: as JSON, where a person has edited them; then nothing is detected."""

    tracks: str | None = None
    cleared: tuple[tuple[int, int, int], ...] = ()
    film: bool = True  # else the tracks alone are wanted


def main() -> None:
    """One clip."""
    os.nice(_NICE)
    av.logging.set_level(av.logging.PANIC)
    sink = sys.stdout.buffer
    cpu_s, own = int(sys.argv[1]), [Path(each) for each in sys.argv[2:]]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))  # behind that the kernel ends the process
    try:
        load_cv2().setNumThreads(THREADS)
        finders = ready(face_model(*own))
    except ModelMissingError as exc:
        _send(sink, packed_json(Kind.LACKING, {"what": exc.what, "remedy": exc.remedy}))
        return
    _send(sink, packed_json(Kind.HELD, confine(memory_bytes=MEMORY_BYTES).dump()))
    answer(sys.stdin.buffer, sink, finders)


def ready(model: bytes) -> Finders:
    """All that finds; each has run once, so that what they load late is loaded."""
    finders = Finders(faces=Faces(model), persons=Persons(), moving=Moving())
    picture = np.zeros((288, 512, 3), np.uint8)
    finders.faces(picture)
    finders.persons(picture)
    warm = Moving()
    for number in range(3):
        list(warm.push(number, np.full((90, 160, 3), 80 * number, np.uint8)))
    list(warm.flush())
    return finders


def answer(source: BinaryIO, sink: BinaryIO, finders: Finders) -> None:
    """One order; what is wrong with the clip is said in a message."""
    try:
        order, data = _taken(source)
        for message in masked(Clip(data), order, finders, lambda done: _send(sink, packed_json(Kind.PROGRESS, done))):
            _send(sink, message)
        _send(sink, packed(Kind.END, b""))
    except (ClipRefusedError, TracksError) as exc:
        _send(sink, packed_json(Kind.REFUSED, {"what": exc.what, "remedy": exc.remedy}))
    except MemoryError:
        _send(sink, packed_json(Kind.REFUSED, {"what": "Masking the clip takes too much memory.", "remedy": ""}))


def masked(clip: Clip, order: Order, finders: Finders, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The messages: the tracks, then the film in pieces. ``progress`` gets 0 to 1000, never less than before."""
    steps = _Steps(progress, clip.expected)
    if order.tracks is None:
        tracks = detect(_counted(clip.frames(), steps), clip.size, clip.fps, finders)
    else:
        tracks = Tracks.load(order.tracks)
        if (tracks.width, tracks.height) != clip.size:
            raise TracksError("The masks are of pictures of another size.", "Detect anew.")
    steps.at(_DETECTING)
    yield packed(Kind.TRACKS, tracks.dump().encode())
    if not order.film:
        return
    cover = Cover(tracks, [Clearing(*each) for each in order.cleared])

    def painter(index: int, planes: Any) -> None:
        """The masks of one picture; a picture that the tracks do not know ends it."""
        if index >= tracks.frames:
            raise TracksError("The clip has more pictures than its masks know of.", "Detect anew.")
        paint(planes, cover.boxes(index))
        steps.done(_DETECTING, 1000, index + 1, tracks.frames)

    film = encode(clip, painter)
    if len(film) > OUTPUT_MAX:
        raise ClipRefusedError("The masked clip is too large.", "Mask a shorter span.")
    for start in range(0, len(film), _PIECE):
        yield packed(Kind.CLIP, film[start : start + _PIECE])
    steps.at(1000)


class _Steps:
    """Progress that never goes back, whatever the clip's head claims."""

    def __init__(self, tell: Callable[[int], None], expected: int) -> None:
        self._tell, self._last, self.expected = tell, 0, expected

    def done(self, start: int, end: int, count: int, total: int) -> None:
        """So many pictures of a step, which goes from ``start`` to ``end``."""
        self.at(start + (end - start) * min(count, total) // (total or 1))

    def at(self, permille: int) -> None:
        """Of the whole."""
        if permille > self._last:
            self._last = permille
            self._tell(permille)


def _counted(frames: Iterator[Shown], steps: _Steps) -> Iterator[Shown]:
    for shown in frames:
        yield shown
        # A head that names no number of pictures has the first step stand still halfway.
        steps.done(0, _DETECTING, shown.index + 1, steps.expected or max(1000, 2 * shown.index))


def _taken(source: BinaryIO) -> tuple[Order, bytes]:
    order: Order | None = None
    data = bytearray()
    while (message := read(source)) is not None and message[0] is not Kind.END:
        kind, body = message
        if kind is Kind.ORDER:
            said = json.loads(body)
            order = Order(**{**said, "cleared": tuple(tuple(each) for each in said["cleared"])})
        else:
            data += body
        if len(data) > INPUT_MAX:
            raise ClipRefusedError(f"The clip is larger than {INPUT_MAX >> 20} MB.", "Mask a shorter span.")
    if message is None or order is None:
        raise ClipRefusedError("The clip has not come whole.", "Try again.")
    return order, bytes(data)


def _send(sink: BinaryIO, message: bytes) -> None:
    sink.write(message)
    sink.flush()


if __name__ == "__main__":
    main()
