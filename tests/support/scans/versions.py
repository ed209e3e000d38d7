"""Both versions of the scan (ingest/native): to run tests with each, and to compare what they return."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.native import Form, Scan, build, library
from ingest.native.form import BY_TIME, FINISHED, MAY_BEGIN, Row
from ingest.native.reference import PythonScan
from ingest.rtp import h264, h265, track
from tests.support.cameras.rtp import SSRC, frame

SCANS = ("Python", "C")
FORMS = {"h264": h264.FORM, "h265": h265.FORM}
LEAD, PLAIN, SLACK = 0x2400, 0x8060, 32
_NONE = -1


def compiled() -> ctypes.CDLL:
    """Skips where C was not compiled."""
    found = library.library()
    if found is None:
        pytest.skip("no compiler was to be had: scan.c is not compiled")
    return found


def scan_of(version: str, lead: int = LEAD, plain: int = PLAIN, form: Form = h264.FORM) -> Scan:
    """version: of SCANS."""
    if version == "Python":
        return PythonScan(lead, plain, form)
    return library.NativeScan(compiled(), lead, plain, form)


@contextmanager
def using(version: str) -> Iterator[None]:
    """New tracks scan by it."""
    if version == "C":
        compiled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track, "make_scan", lambda lead, plain, form: scan_of(version, lead, plain, form))
        yield


def planted(before: str, after: str, scratch: Path, *flags: str) -> ctypes.CDLL:
    """scan.c with a fault in it, compiled. Skips where there is no compiler."""
    compiler = build.system_compiler()
    if compiler is None:
        pytest.skip("there is no compiler")
    text = library.SOURCE.read_text()
    assert text.count(before) == 1, "the fault has no place in scan.c any more"
    source, target = scratch / "planted.c", scratch / "planted.so"
    source.write_text(text.replace(before, after))
    build.compile_with(compiler, target, *flags, source=source)
    return library.opened(target)


@dataclass(frozen=True, slots=True)
class Called:
    """A call, but for the buffer."""

    at: int
    end: int
    stamp: int
    expected: int
    middle: int
    flags: int


def outcome(scan: Scan, data: bytes, call: Called) -> tuple[list[tuple[int, int, bytes, int, bool]], int]:
    """What it returns of a copy of ``data``, each picture's pieces joined."""
    view = memoryview(bytearray(data + bytes(SLACK)))
    rows, at = scan(view, call.at, call.end, call.stamp, call.expected, call.middle, call.flags)
    return joined(rows), at


def joined(rows: Sequence[Row]) -> list[tuple[int, int, bytes, int, bool]]:
    """With the pieces of each as bytes."""
    return [(header, stamp, b"".join(pieces), packets, ends) for header, stamp, pieces, packets, ends in rows]


def film(seeded: random.Random, codec: str, pictures: int = 6) -> tuple[bytes, Called]:
    """Frames of fragmented pictures, now and then with a fault, and a call that fits most of them."""
    made: list[bytes] = []
    number, ticks = seeded.choice((0, 65530, seeded.randrange(65536))), seeded.randrange(1 << 32)
    first = number
    for _ in range(pictures):
        ticks = ticks + seeded.choice((3600, 3600, 1, -3600)) & 0xFFFFFFFF
        fragments = seeded.choice((1, 2, 3, 9, 40))
        for place in range(fragments):
            head = _fragment_head(codec, seeded, begins=place == 0, ends=place == fragments - 1)
            body = seeded.randbytes(seeded.choice((0, 1, 3, 4, 5, 7, 30, 200, 1400)))
            marker = place == fragments - 1
            made.append(_spoilt(seeded, head + body, number & 0xFFFF, ticks, marker=marker))
            number += 1
    data = b"".join(made) + seeded.choice((b"", b"$", b"RTSP/1.0 200 OK\r\n"))
    end = len(data) if seeded.random() < 0.7 else seeded.randrange(len(data) + 1)
    stamp = (ticks - 99_000 & 0xFFFFFFFF) << 32 | SSRC
    flags = FINISHED | MAY_BEGIN if seeded.random() < 0.9 else seeded.randrange(8)
    return data, Called(0, end, stamp, first, _NONE, flags)


def _fragment_head(codec: str, seeded: random.Random, *, begins: bool, ends: bool) -> bytes:
    bits = begins << 7 | (ends and not begins) << 6
    kind = 1 if seeded.random() < 0.97 else seeded.randrange(64)
    if codec == "h264":
        return bytes((0x5C if seeded.random() < 0.98 else seeded.randrange(256), bits | kind & 31))
    return bytes((0x62, 1, bits | kind)) if seeded.random() < 0.98 else seeded.randbytes(3)


def _spoilt(seeded: random.Random, payload: bytes, number: int, ticks: int, *, marker: bool) -> bytes:
    made = bytearray(frame(payload, number, ticks, marker=marker))
    what = seeded.random()
    if what < 0.02:
        made[seeded.randrange(len(made))] ^= 1 << seeded.randrange(8)
    elif what < 0.03:
        return bytes(made[: seeded.randrange(len(made))])
    elif what < 0.04:
        return bytes(made) * 2
    elif what < 0.05:
        return bytes(made) + seeded.choice((b"\r\n", frame(b"sound", number, ticks, channel=2)))
    return bytes(made)


def calls(seeded: random.Random, codec: str, scan: Scan) -> Iterator[tuple[bytes, Called]]:
    """A film, and calls that go on where ``scan`` stops, as a track does: behind the frame that it did not take."""
    data, call = film(seeded, codec)
    while call.at < call.end:
        yield data, call
        at = outcome(scan, data, call)[1]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        behind = at + 4 + length
        if behind + 20 > len(data):
            return
        payload = int.from_bytes(data[at + 16 : at + 20], "big") >> FORMS[codec].shift
        marked = bool(data[at + 5] & 0x80)
        call = Called(
            behind,
            call.end,
            int.from_bytes(data[at + 8 : at + 16], "big"),
            int.from_bytes(data[at + 6 : at + 8], "big") + 1 & 0xFFFF,
            _NONE if marked or seeded.random() < 0.1 else payload & ~0x80,
            FINISHED * marked | seeded.choice((0, MAY_BEGIN, MAY_BEGIN, MAY_BEGIN | BY_TIME)),
        )
