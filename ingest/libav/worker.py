"""libav on what comes from outside, in a process that can do nothing else: a camera's stream, or a recorded file.

``python -m ingest.libav.worker camera``: standard input and output are one socket. A line of JSON says the address and
libav's options; the process that wrote it makes the connection (runtime/sandbox/mediator.py).
``python -m ingest.libav.worker file DEMUXER``: standard input is the file.

Either way messages come out (``ingest.libav.messages``): packets as Annex B, which the reader parses and checks itself.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import av
import av.error
import av.logging
import av.subtitles.stream  # libav imports it late, when files are out of reach
from av.bitstream import BitStreamFilterContext

from ingest.libav.messages import Kind, packed
from runtime.sandbox.decoder import confine, confine_client
from runtime.sandbox.held import Held

CODECS: Final = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_TICKS_PER_S: Final = 90_000
_CONFIGURATION_MAX: Final = 64 << 10
_MISSED: Final = re.compile(r"RTP: missed (-?\d+) packets")
_REASONS: Final = (
    (av.error.HTTPUnauthorizedError, "unauthorized"),
    (av.error.HTTPForbiddenError, "unauthorized"),
    (av.error.HTTPClientError, "no such stream"),
    (av.error.InvalidDataError, "not understood"),
    (av.error.ExitError, "silent"),
    (TimeoutError, "silent"),
    (ValueError, "not understood"),
)


def main(words: list[str]) -> None:
    """Until the stream ends, or the reader is gone."""
    av.logging.set_level(av.logging.PANIC)
    sink = sys.stdout.buffer
    with contextlib.suppress(BrokenPipeError):
        try:
            if words[0] == "camera":
                _camera(sink)
            else:
                _file(words[1], sink)
            sink.write(packed(Kind.END))
        except (av.error.FFmpegError, OSError, ValueError, MemoryError) as error:
            sink.write(packed(Kind.ERROR, body=json.dumps(told(error)).encode()))
        sink.flush()


def told(error: BaseException) -> dict[str, str]:
    """Why it ends, in words that hold nothing of an address."""
    kind = next((word for kind, word in _REASONS if isinstance(error, kind)), "away")
    return {"kind": kind, "reason": str(getattr(error, "strerror", None) or type(error).__name__)}


def _say(sink: BinaryIO, kind: Kind, said: dict[str, Any]) -> None:
    sink.write(packed(kind, body=json.dumps(said).encode()))
    sink.flush()


# -- A camera


def _camera(sink: BinaryIO) -> None:
    with socket.socket(fileno=0) as sock:
        held = confine_client(sock)
        if held is None:
            sink.write(b"-")  # instead of the descriptor: see ingest.libav.source
            return
        asked = json.loads(sock.makefile("rb").readline(_CONFIGURATION_MAX))
        _say(sink, Kind.HELD, held.dump())
        # Only its log messages report lost packets. They hold addresses with passwords: they go nowhere else.
        av.logging.set_level(av.logging.WARNING)
        av.logging.set_skip_repeated(False)
        how = {"format": "rtsp", "options": asked["options"], "timeout": tuple(asked["timeout"])}
        with av.logging.Capture(local=True) as said, av.open(asked["url"], **how) as container:
            _read_camera(container, said, sink)


def _read_camera(container: Any, said: list[Any], sink: BinaryIO) -> None:
    stream = next(iter(container.streams.video), None)
    context = stream.codec_context if stream is not None else None
    extradata = bytes(context.extradata or b"").hex() if context is not None else ""
    _say(sink, Kind.STREAM, {"codec": context.name if context is not None else "", "extradata": extradata})
    if stream is None:
        return
    said.clear()  # of looking for streams
    scale = stream.time_base * _TICKS_PER_S
    last_ticks = 0
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        if lost := lost_by(said):
            sink.write(packed(Kind.LOST, lost))
        if packet.pts is not None:
            last_ticks = int(packet.pts * scale)
        elif not last_ticks:
            continue  # libav sometimes leaves the first picture without a time
        sink.write(packed(Kind.PACKET, last_ticks, bytes(packet)))
        sink.flush()


def lost_by(said: list[Any]) -> int:
    """Packets that libav's RTP reader has missed, by what it has logged since; that is forgotten."""
    lost = sum(max(1, int(found[1])) for _, _, text in said if (found := _MISSED.search(text)))
    said.clear()
    return lost


# -- A file


def _file(demuxer: str, sink: BinaryIO) -> None:
    held: Held = confine()
    _say(sink, Kind.HELD, held.dump())
    options = {"format_whitelist": demuxer, "protocol_whitelist": ""}
    with av.open(sys.stdin.buffer, format=demuxer, options=options) as container:
        stream = next(iter(container.streams.video), None)
        context = stream.codec_context if stream is not None else None
        extradata = bytes(context.extradata or b"") if context is not None else b""
        in_band = extradata[:1] == b"\x01"
        said = {
            "video": stream is not None,
            "codec": context.name if context is not None else "an unknown codec",
            "audio": bool(container.streams.audio),
            "extradata": "" if in_band else extradata.hex(),
        }
        _say(sink, Kind.STREAM, said)
        if stream is not None and said["codec"] in CODECS:
            for message in _packets(container, stream, in_band=in_band):
                sink.write(message)


def _packets(container: Any, stream: Any, *, in_band: bool) -> Iterator[bytes]:
    context = stream.codec_context
    annex_b = BitStreamFilterContext(CODECS[context.name], stream) if in_band else None
    scale = stream.time_base * _TICKS_PER_S
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        # Where pictures are shown in another order than they are decoded in, dts says nothing of it.
        time = packet.pts if packet.pts is not None else None if context.has_b_frames else packet.dts
        if time is None:
            yield packed(Kind.ERROR, body=json.dumps({"kind": "no times", "reason": ""}).encode())
            return
        kind = Kind.HIDDEN if packet.is_discard else Kind.PACKET
        for item in annex_b.filter(packet) if annex_b is not None else (packet,):
            yield packed(kind, round(time * scale), bytes(item))


if __name__ == "__main__":
    main(sys.argv[1:])
