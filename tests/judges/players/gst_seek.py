"""Run by the system's Python: a paused GStreamer pipeline is sought to each time.

    python3 gst_seek.py FILE accurate|key DECODER

Input: a JSON list of times in seconds. Output, a line for each: {"width", "height", "grey"}, or {"note"}.
"""

import base64
import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

_WAIT_NS = 15 * 1_000_000_000
_CAPS = "video/x-raw,format=GRAY8"


def main(path: str, kind: str, decoder: str) -> None:
    Gst.init(None)
    # No parser between: it takes each picture's duration from the stream's nominal rate, and the decoder then leaves
    # out the picture that holds the time where the true rate is lower (in any MP4).
    pipeline = Gst.parse_launch(f"filesrc name=file ! qtdemux ! {decoder} ! videoconvert ! {_CAPS} ! appsink name=out")
    pipeline.get_by_name("file").set_property("location", path)
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(_WAIT_NS)
    for at_s in json.load(sys.stdin):
        print(json.dumps(_look(pipeline, at_s, kind)), flush=True)
    pipeline.set_state(Gst.State.NULL)


def _look(pipeline, at_s: float, kind: str) -> dict[str, object]:
    how = Gst.SeekFlags.KEY_UNIT | Gst.SeekFlags.SNAP_BEFORE if kind == "key" else Gst.SeekFlags.ACCURATE
    if not pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | how, round(at_s * Gst.SECOND)):
        return {"note": "the seek was refused"}
    state = pipeline.get_state(_WAIT_NS)[0]
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    if message is not None:
        return {"note": str(message.parse_error())[:200]}
    sample = pipeline.get_by_name("out").emit("try-pull-preroll", _WAIT_NS)
    if sample is None:
        return {"note": f"nothing was shown ({state.value_nick})"}
    return _grey(sample)


def _grey(sample) -> dict[str, object]:
    shape = sample.get_caps().get_structure(0)
    width, height = shape.get_value("width"), shape.get_value("height")
    buffer = sample.get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    stride = len(data) // height
    rows = b"".join(data[row * stride : row * stride + width] for row in range(height))
    return {"width": width, "height": height, "grey": base64.b64encode(rows).decode(), "pts": buffer.pts / 1e9}


main(*sys.argv[1:])
