"""Films of people with what is marked in them: Debian's film of persons who walk, and one that carries faces.

The films are not ours and are not copied; the marks are coordinates, made by hand.
"""

from __future__ import annotations

import io
import random
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.frame import PictureType

from demo.video.canvas import Canvas
from demo.video.pictures import Report, Scene
from domain.access import EventKind
from domain.time import NS
from masking.boxes import Box
from masking.detectors.models import load_cv2

MARKS: Final = Path(__file__).parents[1] / "marks" / "vtest.json"
_CODED: Final = {"preset": "veryfast", "crf": "20"}
_LEAST_PIXELS: Final = 30
_PERSONS: Final = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")


def film_of_persons() -> Path | None:
    """Of Debian's package opencv-doc; None: it is not installed."""
    return _PERSONS if _PERSONS.is_file() else None


def recoded(path: Path) -> bytes:
    """A film as H.264 in an MP4, as cameras send it; the pictures and their order are kept."""
    sink = io.BytesIO()
    with av.open(path) as source, av.open(sink, "w", format="mp4") as made:
        pictures = source.streams.video[0]
        stream: Any = made.add_stream("libx264", rate=pictures.average_rate, options=_CODED)
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for number, frame in enumerate(source.decode(pictures)):
            frame.pts, frame.time_base = number, 1 / Fraction(pictures.average_rate or 10)
            frame.pict_type = PictureType.NONE
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return sink.getvalue()


def demo_film(size: tuple[int, int], fps: float, seconds: float, seed: int) -> tuple[bytes, dict[int, list[Box]]]:
    """The demo's gym, through whose door people pass every few seconds; and where they are, by frame.

    A person is where the picture differs from the same picture without them.
    """
    chance, start_ns = random.Random(seed), 1_000 * NS
    scene, empty = Scene(1, "Hall", size, seed), _Empty(1, "Hall", size, seed)
    canvas, bare = Canvas(*size), Canvas(*size)
    sink, marks = io.BytesIO(), {}
    next_ns = start_ns + NS
    with av.open(sink, "w", format="mp4", options={"video_track_timescale": "90000"}) as made:
        stream: Any = made.add_stream("libx264", rate=Fraction(fps).limit_denominator(100), options=_CODED)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(round(seconds * fps)):
            now_ns = start_ns + round(number * NS / fps)
            if now_ns >= next_ns:
                kind = chance.choice((EventKind.ENTERED, EventKind.EXIT))
                report = Report(kind=kind, at_ns=now_ns, person=chance.randrange(200), people=chance.choice((1, 1, 2)))
                scene.react(report)
                empty.react(report)
                next_ns += round(chance.uniform(3, 9) * NS)
            scene.draw(canvas, now_ns)
            empty.draw(bare, now_ns)
            marks[number] = _differing(canvas, bare)
            frame = av.VideoFrame.from_ndarray(canvas.frame.to_ndarray(), format="yuv420p")
            frame.pts, frame.time_base = number, 1 / Fraction(fps).limit_denominator(100)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return sink.getvalue(), {frame: boxes for frame, boxes in marks.items() if boxes}


class _Empty(Scene):
    """The same room, doors and clock, without its people."""

    def _draw_walk(self, *_: Any) -> None:
        return


def _differing(canvas: Canvas, bare: Canvas) -> list[Box]:
    """A box around each connected part; two who overlap are one."""
    colours = (canvas.u != bare.u) | (canvas.v != bare.v)
    differs = (canvas.luma != bare.luma) | colours.repeat(2, 0).repeat(2, 1)
    _, _, stats, _ = load_cv2().connectedComponentsWithStats(differs.astype(np.uint8))
    return [Box(x, y, x + w, y + h) for x, y, w, h, area in stats[1:].tolist() if area >= _LEAST_PIXELS]
