"""Many cameras for load: ``python -m demo.rtsp_server --cameras 100``. One JSON line when it listens, one at the end.

The first line: port, urls, bit_rate (what one camera really sends), fps, frames and seconds of the loop. The last
line, after SIGTERM or SIGINT: cpu_s (since it listens), sent_bytes, packets, late_max_ms, late_over_100_ms (packets),
slow_readers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

import uvloop

from demo.loop import BURST_PACKETS, Loop, from_file, record
from demo.replay import LoopCamera, Replayer
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from demo.video.encoder import CLOCK_RATE, EncoderSettings
from domain.errors import TallenneError

PASSWORD = "DEMO_RTSP_PASSWORD"


def main() -> int:
    """Serve until a signal stops it."""
    given = _parser().parse_args()
    try:
        loop = _loop(given)
        uvloop.run(_serve(given, loop))
    except (TallenneError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo.rtsp_server", description=__doc__)
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--bitrate", type=int, default=4_000_000, help="bits per second and camera")
    parser.add_argument("--fps", type=Fraction, default=Fraction(25))
    parser.add_argument("--gop", type=int, default=50, help="pictures from key picture to key picture")
    parser.add_argument("--b-frames", type=int, default=0)
    parser.add_argument("--size", type=_size, default=(1920, 1080), metavar="WxH")
    parser.add_argument("--loop", type=float, default=4.0, help="seconds of video that are replayed")
    parser.add_argument("--burst", type=int, default=BURST_PACKETS, help="packets at a time; 1: packet by packet")
    parser.add_argument("--file", type=Path, help="replay this instead of filming")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="", help=f"with a password in {PASSWORD}: ask for both")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _loop(given: argparse.Namespace) -> Loop:
    settings = EncoderSettings(
        size=given.size,
        fps=given.fps,
        bit_rate=given.bitrate,
        gop_frames=given.gop,
        b_frames=given.b_frames,
    )
    if given.file is not None:
        return from_file(given.file, settings, given.burst)
    return record(settings, given.loop, given.burst)


async def _serve(given: argparse.Namespace, loop: Loop) -> None:
    _allow_many_connections()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cameras = [LoopCamera(path=f"/camera/{number}", number=number, loop=loop) for number in range(given.cameras)]
    password = os.environ.get(PASSWORD, "")
    digest = Digest(given.user, password) if given.user and password else None
    replayer = Replayer(cameras)
    async with RtspServer(cameras, digest=digest).listening(given.host, given.port) as server:
        replayer.start()
        began_s = time.process_time()
        _say(
            port=server.port,
            urls=[server.url(camera, given.host) for camera in cameras],
            bit_rate=loop.bit_rate,
            fps=float(loop.fps),
            frames=loop.frames,
            seconds=loop.ticks / CLOCK_RATE,
        )
        await stop.wait()
        replayer.stop()
        _say(
            cpu_s=round(time.process_time() - began_s, 3),
            sent_bytes=sum(camera.sent_bytes for camera in cameras),
            packets=replayer.packets,
            late_max_ms=round(replayer.late_max_ns / 1_000_000, 1),
            late_over_100_ms=replayer.late_packets,
            slow_readers=sum(camera.slow_readers for camera in cameras),
        )


def _say(**what: object) -> None:
    """Print a line for the starter, which may be gone by now."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(what), flush=True)


def _allow_many_connections() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
