"""The masking process from its parent: what it gives, what confines it, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

import masking.process.running as running
from masking.errors import ClipRefusedError, MaskingAwayError, ModelMissingError
from masking.process.running import Wish, mask_clip
from runtime.sandbox.held import ALL
from tests.support.films import decoded, film, probed, walker

pytest.importorskip("cv2")
TIMES = [9000 * number for number in range(30)]
CLIP = film(walker(30), TIMES, sound=True)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 10_000):
        yield data[start : start + 10_000]


def _children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "masking.process.worker" in " ".join(each.cmdline())]


async def test_masked_clip_comes_from_a_confined_process_and_no_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    progress: list[int] = []
    masked = await mask_clip(_pieces(CLIP), Wish(duration_s=3), progress.append)
    assert (masked.held.holds, masked.held.lacks) == (ALL, ())  # it can open no file, so that it writes none
    assert sum(1 for _ in os.scandir(tmp_path)) == 0
    assert progress == sorted(set(progress))
    assert progress[-1] == 1000
    assert masked.tracks.frames == len(decoded(masked.film)) == 30
    assert all(picture[66:134, at * 4 + 6 : at * 4 + 18].mean() > 80 for at, picture in enumerate(decoded(masked.film)))
    assert probed(masked.film, tmp_path) == (["h264"], TIMES)
    assert _children() == []


@pytest.mark.parametrize("data", [b"", b"no clip at all", CLIP[:700]])
async def test_broken_clip_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(ClipRefusedError) as refused:
        await mask_clip(_pieces(data), Wish(duration_s=1))
    assert refused.value.what
    assert _children() == []


async def test_cancelled_within_a_second() -> None:
    long = film(walker(300), [9000 * number for number in range(300)])
    begun = asyncio.Event()
    task = asyncio.create_task(mask_clip(_pieces(long), Wish(duration_s=30), lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 120)
    assert _children()  # positive control
    at = time.monotonic()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert time.monotonic() - at < 1
    assert _children() == []


async def test_source_that_breaks_is_raised_as_it_is() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CLIP[:100]
        raise OSError("the store is away")

    with pytest.raises(OSError, match="the store is away"):
        await mask_clip(broken(), Wish(duration_s=1))
    assert _children() == []


async def test_model_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"gone\.onnx"):
        await mask_clip(_pieces(CLIP), Wish(duration_s=1, model=tmp_path / "gone.onnx"))


_HELD = """
import resource, sys
from masking.process.pipe import Kind, packed, packed_json
from runtime.sandbox.decoder import confine
resource.setrlimit(resource.RLIMIT_CPU, (1, 3))
sys.stdout.buffer.write(packed_json(Kind.HELD, confine(memory_bytes=256 << 20).dump()))
sys.stdout.buffer.flush()
def say(kind, body):
    sys.stdout.buffer.write(packed(kind, body))
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("while True: pass", "too long"),
        ("kept = [bytearray(b'x' * (32 << 20)) for _ in range(1000)]", "memory"),
        ("import os; os.write(1, b'\\x05\\xff\\xff\\xff\\xff')", "damaged"),
        ("sys.exit()", "damaged"),
        ("say(Kind.PROGRESS, b'soon')", "damaged"),
        ("say(Kind.REFUSED, b'[]')", "damaged"),
        ("say(Kind.REFUSED, b'{')", "damaged"),
        ("say(Kind.END, b'')", "damaged"),
        ('say(Kind.REFUSED, b\'{"what": "a\\\\nb", "remedy": 1}\')', "^a.{1,4}b"),
    ],
)
async def test_process_that_a_clip_took_over_is_ended_with_one_clear_error(
    deed: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endless work, all memory, a message of four gigabytes, no answer, or one that means nothing."""
    monkeypatch.setattr(running, "worker_command", lambda _: (sys.executable, "-c", _HELD + deed))
    with pytest.raises(ClipRefusedError, match=said):
        await mask_clip(_pieces(CLIP), Wish(duration_s=1))


async def test_process_that_is_silent_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STUCK_S", 0.3)
    monkeypatch.setattr(
        running, "worker_command", lambda _: (sys.executable, "-c", _HELD + "sys.stdin.read()\ninput()")
    )
    with pytest.raises(ClipRefusedError):
        await mask_clip(_pieces(CLIP), Wish(duration_s=1))


async def test_process_that_does_not_start_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "worker_command", lambda _: (sys.executable, "-c", "pass"))
    with pytest.raises(MaskingAwayError):
        await mask_clip(_pieces(CLIP), Wish(duration_s=1))
    monkeypatch.setattr(running, "worker_command", lambda _: (os.devnull,))
    with pytest.raises(MaskingAwayError):
        await mask_clip(_pieces(CLIP), Wish(duration_s=1))


def test_limit_of_processor_time_grows_with_the_clip() -> None:
    assert Wish(duration_s=60).cpu_s > 4 * Wish(duration_s=1).cpu_s / 4 > 60
