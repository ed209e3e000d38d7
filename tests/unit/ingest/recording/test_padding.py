"""What the one-second rule costs in padding, with pictures as cameras send them: large key frames, small others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from domain.time import NS
from ingest.access_unit import TICKS_PER_S, AccessUnit
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Append, Begin, Finish, Segmenter
from tests.support.footage.fragments import H264
from tests.support.footage.recording import make_rig

FPS = 25


async def stored(directory: Path, *, bit_rate: float, key_every_s: int, key_times: float, seconds: int = 40) -> float:
    """Bytes of objects over bytes of pictures. key_times: how much larger a key frame is."""
    rig, group = make_rig(directory), FPS * key_every_s
    small = bit_rate / 8 * key_every_s / (group - 1 + key_times)
    start_ns, dice = rig.now_ns, rig.dice
    keys = [number % group == 0 for number in range(seconds * FPS)]
    sizes = [(round(small * dice.uniform(0.85, 1.15) * (key_times if key else 1)), key) for key in keys]
    async with rig.recorder() as recorder:
        camera, segmenter = rig.camera(recorder), Segmenter(10.0, 30.0)
        camera.resume(start_ns)
        for fragment in fragments(sizes):
            at = (start_ns + ticks * NS // TICKS_PER_S for ticks in (fragment.start_ticks, fragment.end_ticks))
            for action in segmenter.push(fragment, *at):
                if isinstance(action, Append):
                    camera.append(action.pieces, action.start_ns, action.end_ns, key=action.key, frames=action.frames)
                elif isinstance(action, Begin):
                    camera.begin(action.start_ns, action.codec, action.init)
                elif isinstance(action, Finish):
                    camera.finish(action.end_ns)
        camera.finish(start_ns + seconds * NS)
    written = sum(len(data) for data in rig.store.objects.values())
    handed = sum(size for size, _ in sizes)
    assert written > handed
    return written / handed


def fragments(sizes: Sequence[tuple[int, bool]]) -> Iterator[Fragment]:
    writer = FragmentWriter()
    for number, (size, key) in enumerate(sizes):
        unit = AccessUnit(bytes(size), number * TICKS_PER_S // FPS, key, 0, H264)
        if (fragment := writer.push(unit)) is not None:
            yield fragment
    yield from iter(writer.flush, None)


@pytest.mark.parametrize(
    ("key_every_s", "key_times", "most"), [(1, 6, 0.06), (2, 4, 0.01), (2, 10, 0.01), (4, 10, 0.01), (4, 25, 0.01)]
)
async def test_padding_is_rare(tmp_path: Path, key_every_s: int, key_times: float, most: float) -> None:
    """At any bit rate: within an octave, chunks have one size. With a key frame every second most is padded, each
    second's last fragment being of one picture.
    """
    rates = [2.2, 2.6, 3.0, 3.4, 3.9]
    found = [
        await stored(tmp_path / f"{rate}", bit_rate=rate * 1e6, key_every_s=key_every_s, key_times=key_times)
        for rate in rates
    ]
    print(f"a key frame every {key_every_s} s: {sum(found) / len(found) - 1:.2%}, at most {max(found) - 1:.2%}")
    assert max(found) - 1 < most
