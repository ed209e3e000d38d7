"""The judges' own eyes: a picture's number is read, and one that was decoded from the wrong pictures is smeared."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.judges.clips import LARGE, SMALL, Scene, coded
from tests.judges.picture import Look, draw, read
from tests.judges.rule import Picture, Table, wrong_looks

TABLE = Table([Picture(number=n, start_s=n / 25, end_s=(n + 1) / 25, key=n % 10 == 0) for n in range(100)])


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_picture_drawn_is_read_at_any_size(size: tuple[int, int]) -> None:
    for number in (0, 1, 41, 5000):
        assert read(draw(number, size)) == Look(number=number)
        assert read(np.repeat(np.repeat(draw(number, size), 2, axis=0), 2, axis=1)).number == number


def test_pictures_decoded_without_their_key_frame_are_smeared() -> None:
    scene = Scene(seconds=4, gop=50)
    stream = coded(scene, [n * 3600 for n in range(100)], 0)
    context = av.CodecContext.create("h264", "r")
    packets = [av.Packet(data) for number, (data, _, _) in enumerate(stream) if number != 50]
    frames = [frame for packet in [*packets, None] for frame in context.decode(packet)]
    looks = [read(frame.to_ndarray(format="gray").astype(np.uint8)) for frame in frames]
    assert [look.smeared for look in looks[:50]] == [False] * 50
    assert len(looks) >= 90
    assert all(look.smeared for look in looks[50:90])


def test_half_of_another_picture_is_smeared() -> None:
    mixed = draw(7, SMALL)
    mixed[100:] = draw(90, SMALL)[100:]
    assert read(mixed).smeared


def test_rule_takes_the_picture_whose_interval_holds_the_time() -> None:
    looks = [Look(number=12), Look(number=11), Look(number=13), Look(number=12, smeared=True), Look(number=None)]
    found = wrong_looks(TABLE, Table.holding, [0.5] * 5, looks)
    assert [wrong.look for wrong in found] == looks[1:]
    assert [wrong.off_s for wrong in found] == pytest.approx([-0.04, 0.04, 0.0, None])
    assert TABLE.holding(0.48) == {11, 12}
    assert TABLE.from_on(0.5) == {13}
    assert TABLE.key_before(0.5) == {10}


def test_table_cut_counts_from_its_beginning() -> None:
    cut = TABLE.cut(0.4, 1.0)
    assert [picture.number for picture in cut.pictures] == list(range(10, 25))
    assert cut.holding(0.1) == {12}
    assert all(0 <= at_s < 0.6 for at_s in cut.times(50, 1))
