"""What lost packets cost: what is given out, what is marked. Real coders' streams; libav's decoder is the judge."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest

from ingest.access_unit import AccessUnit
from ingest.video.nal import split_annex_b
from tests.support.cameras.decode import images
from tests.support.cameras.rtp import frame, h264_payloads, h265_payloads, losses, make_track, units, walked
from tests.support.cameras.video import encoded

pytestmark = pytest.mark.usefixtures("both_scans")

Pictures = list[tuple[bytes, int, bool]]


@cache
def film(seconds: float, *, slices: int = 1, more: str = "", codec: str = "libx264", **settings: Any) -> Pictures:
    """One slice a picture, or so many (x264)."""
    if codec == "libx264":
        more += f":sliced-threads=0:slices={slices}"
    return encoded(seconds, codec=codec, more=more, **settings)


def sent(pictures: Iterable[tuple[bytes, int, bool]], codec: str, size: int = 100) -> list[list[bytes]]:
    """The frames of each picture."""
    made, sequence = [], 65_500
    for data, ticks, _ in pictures:
        payloads = [
            item
            for nal in split_annex_b(data)
            for item in (h264_payloads if codec == "h264" else h265_payloads)(nal, size)
        ]
        made.append([frame(p, sequence + n, ticks, marker=n == len(payloads) - 1) for n, p in enumerate(payloads)])
        sequence += len(payloads)
    return made


def all_of(pictures: list[list[bytes]]) -> list[bytes]:
    return [one for frames in pictures for one in frames]


def renumbered(frames: list[bytes], number: Callable[[int], int]) -> list[bytes]:
    """``number``: of the sequence number by the packet's place."""
    return [one[:6] + (number(n) & 0xFFFF).to_bytes(2, "big") + one[8:] for n, one in enumerate(frames)]


CODECS = [("h264", "libx264"), ("h265", "libx265")]


@pytest.mark.parametrize(("codec", "coder"), CODECS)
def test_part_of_a_picture_that_others_refer_to_costs_that_picture_and_marks_the_rest(codec: str, coder: str) -> None:
    pictures = sent(film(2.0, codec=coder, size=(640, 352)), codec, 60)
    assert len(pictures[7]) > 1
    del pictures[7][-1]
    items = walked(make_track(codec), all_of(pictures))
    (loss,) = losses(items)
    assert (loss.packets, loss.gap) == (1, False)
    assert len(units(items)) == 49
    assert [unit.damaged for unit in units(items)] == [False] * 7 + [True] * 17 + [False] * 25


def test_part_of_a_picture_that_no_other_refers_to_costs_that_picture_alone() -> None:
    stream = film(2.0, b_frames=2, size=(640, 352), more=":b-adapt=0:b-pyramid=none")
    pictures = sent(stream, "h264")
    disposable = [n for n, (data, _, _) in enumerate(stream) if all(nal[0] & 0x60 == 0 for nal in slices_of(data))]
    assert len(disposable) > 20
    for place in disposable[3:12:3]:
        del pictures[place][0]
    items = walked(make_track(reliable=False), all_of(pictures))
    assert len(units(items)) == 47
    assert not any(unit.damaged for unit in units(items))
    assert [(loss.packets, loss.gap) for loss in losses(items)] == [(1, False)] * 3


def slices_of(data: bytes) -> list[bytes]:
    return [nal for nal in split_annex_b(data) if nal[0] & 31 in (1, 5)]


def test_whole_slices_of_a_damaged_picture_are_given_out() -> None:
    stream = film(2.0, size=(640, 352), slices=4)
    pictures = sent(stream, "h264", 60_000)  # each slice in a packet
    del pictures[9][2]
    got = units(walked(make_track(), all_of(pictures)))
    assert len(got) == 50
    assert [len(slices_of(b"\x00\x00\x01" + b"\x00\x00\x01".join(nals_of(unit)))) for unit in got[8:11]] == [4, 3, 4]
    assert [unit.damaged for unit in got[8:11]] == [False, True, True]
    shown, meant = images(got, "h264"), images(units(walked(make_track(), all_of(sent(stream, "h264")))), "h264")
    # The slice that is missing is one of four bands; the others are as they were.
    same = np.mean(shown[got[9].pts_ticks][:352] == meant[got[9].pts_ticks][:352], axis=1)
    assert np.mean(same == 1.0) > 0.7


def nals_of(unit: AccessUnit) -> list[bytes]:
    found, at = [], 0
    while at < len(unit.data):
        size = int.from_bytes(unit.data[at : at + 4], "big")
        found.append(unit.data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


@pytest.mark.parametrize(("codec", "coder"), CODECS)
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("reliable", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_not_marked_shows_what_it_would_have_shown(
    codec: str, coder: str, b_frames: int, reliable: bool, seed: int
) -> None:
    """One packet in a hundred is lost. The pictures that are there are those that were sent, or parts of them."""
    size = 400 if codec == "h264" else 100
    stream = film(4.0, gop=20, b_frames=b_frames, codec=coder, size=(640, 352), slices=2, more=":b-adapt=0")
    frames, dice = all_of(sent(stream, codec, size)), random.Random(seed)
    meant = images(units(walked(make_track(codec), frames)), codec)
    track = make_track(codec, reliable=reliable)
    begun = len(sent(stream[:1], codec, size)[0])
    items = walked(track, [one for n, one in enumerate(frames) if n < begun or dice.random() > 0.01])
    got = units(items)
    whole = [unit for unit in got if not unit.damaged]
    assert 0.8 * len(stream) < len(got)
    assert len(whole) < len(stream)
    assert losses(items)
    shown = images(got, codec)
    for unit in whole:
        assert np.array_equal(shown[unit.pts_ticks], meant[unit.pts_ticks]), unit.pts_ticks


@pytest.mark.parametrize("missing", [range(8, 9), range(8, 20)])
def test_whole_pictures_that_are_missing_mark_what_refers_to_them(missing: range) -> None:
    pictures = sent(film(2.0), "h264", 60_000)
    items = walked(make_track(), all_of([one for n, one in enumerate(pictures) if n not in missing]))
    (loss,) = losses(items)
    assert (loss.packets > 0, loss.gap) == (True, False)
    assert [unit.damaged for unit in units(items)] == [False] * 8 + [True] * (17 - len(missing)) + [False] * 25


def test_pictures_missing_for_more_than_a_second_are_a_gap_until_the_next_key_picture() -> None:
    pictures = sent(film(6.0, gop=50), "h264", 60_000)
    items = walked(make_track(), all_of([*pictures[:10], *pictures[40:]]))
    (loss,) = losses(items)
    assert loss.gap
    assert [unit.pts_ticks // 3600 for unit in units(items)] == [*range(10), *range(50, 150)]


def test_losses_in_a_gap_are_told_with_its_end() -> None:
    pictures = sent(film(6.0, gop=50), "h264", 60_000)
    items = walked(make_track(), all_of([*pictures[:10], *pictures[40:44], *pictures[46:]]))
    assert [(loss.gap, loss.packets) for loss in losses(items)] == [(True, 30), (True, 2)]
    assert isinstance(items[-1], AccessUnit)


# -- Numbers


@pytest.mark.parametrize(("codec", "coder"), CODECS)
@pytest.mark.parametrize("every", [1, 2, 3])
def test_numbers_shared_with_sound_are_no_loss_over_tcp(codec: str, coder: str, every: int) -> None:
    """A packet of sound behind every so many pictures, and none of it is sent to us."""
    track, out, number = make_track(codec), [], 0
    for place, frames in enumerate(sent(film(2.0, codec=coder), codec)):
        out += renumbered(frames, lambda n, number=number: number + n)
        number += len(frames) + (place % every == 0)
    items = walked(track, out)
    assert losses(items) == []
    assert len(units(items)) == 50
    assert not any(unit.damaged for unit in units(items))
    assert (track.shares_numbers, track.lost_packets) == (every < 3 or codec == "h264", 0) or every == 3


def test_numbers_shared_with_sound_within_a_picture_are_no_loss_once_that_is_known() -> None:
    pictures, out, number = sent(film(4.0, gop=25, size=(640, 352)), "h264"), [], 0
    for place, frames in enumerate(pictures):
        half = len(frames) // 2 if place > 25 else len(frames)
        out += renumbered(frames, lambda n, number=number, half=half: number + n + (n >= half))
        number += len(frames) + 1
    track = make_track()
    items = walked(track, out)
    assert losses(items) == []
    assert not any(unit.damaged for unit in units(items))
    assert track.shares_numbers
    assert track.counts.unnumbered >= 99


def test_a_picture_that_the_camera_leaves_out_is_a_loss_although_numbers_are_shared() -> None:
    pictures, out, number = sent(film(4.0, gop=50), "h264"), [], 0
    for place, frames in enumerate(pictures):
        if place != 30:
            out += renumbered(frames, lambda n, number=number: number + n)
        number += len(frames) + 1
    items = walked(make_track(), out)
    assert len(losses(items)) == 1
    assert [unit.damaged for unit in units(items)] == [False] * 30 + [True] * 19 + [False] * 50


@pytest.mark.parametrize("reliable", [True, False])
@pytest.mark.parametrize("start", [0, 30_000, 65_000])
def test_numbers_that_begin_anew_with_each_key_picture_are_no_loss(start: int, reliable: bool) -> None:
    out, number = [], 0
    for place, frames in enumerate(sent(film(4.0), "h264")):
        number = start if place % 25 == 0 else number
        out += renumbered(frames, lambda n, number=number: number + n)
        number += len(frames)
    track = make_track(reliable=reliable)
    items = walked(track, out)
    assert losses(items) == []
    assert (len(units(items)), track.lost_packets) == (100, 0)
    assert not any(unit.damaged for unit in units(items))


def test_numbers_that_jump_between_two_pictures_mark_nothing_where_none_is_missing() -> None:
    pictures = sent(film(2.0), "h264")
    out = [*all_of(pictures[:8]), *renumbered(all_of(pictures[8:]), lambda n: 30_000 + n)]
    items = walked(make_track(), out)
    assert losses(items) == []
    out = [*all_of(pictures[:8]), *renumbered(all_of(pictures[9:]), lambda n: 30_000 + n)]
    items = walked(make_track(), out)
    assert [(loss.packets, loss.gap) for loss in losses(items)] == [(0, False)]
    assert units(items)[8].damaged


# -- Where decoding begins


def open_groups(skipped: int, seconds: float = 8.0) -> Pictures:
    return film(seconds, fps=5, gop=10, b_frames=2, more=":open-gop=1:b-adapt=0")[skipped:]


def test_open_groups_without_idr_are_recorded_from_their_second_recovery_point() -> None:
    stream = open_groups(4)
    got = units(walked(make_track(), all_of(sent(stream, "h264"))))
    recovery = [n for n, (data, _, _) in enumerate(stream) if b"\x00\x00\x01\x06\x06\x01\xc4" in data]
    assert len(recovery) == 3
    first = got[0]
    assert first.key
    assert first.pts_ticks == stream[recovery[1]][1]
    assert [unit.key for unit in got].count(True) == 2
    assert not any(unit.damaged for unit in got)
    # Pictures shown before the first one refer to what was never received: they are left out.
    assert min(unit.pts_ticks for unit in got) == first.pts_ticks
    everything = units(walked(make_track(), all_of(sent(open_groups(0), "h264"))))
    meant, shown = images(everything, "h264"), images(got, "h264")
    assert len(shown) == len(got)
    assert all(np.array_equal(shown[ticks], meant[ticks]) for ticks in shown)


def test_recovery_points_are_no_key_pictures_where_there_are_idr_pictures() -> None:
    stream = [*open_groups(0), *((data, ticks + 8 * 90_000, key) for data, ticks, key in open_groups(0))]
    got = units(walked(make_track(), all_of(sent(stream, "h264"))))
    assert [unit.pts_ticks // 90_000 for unit in got if unit.key] == [0, 8]


def test_recovery_point_ends_the_damage() -> None:
    pictures = sent(open_groups(0), "h264")
    del pictures[4]
    got = units(walked(make_track(), all_of(pictures)))
    damaged = [unit.pts_ticks for unit in got if unit.damaged]
    assert damaged
    assert max(damaged) < 2 * 90_000 + 18_000


def test_intra_refresh_is_recorded_from_its_recovery_point_and_marked_until_all_is_right() -> None:
    stream = film(6.0, gop=25, size=(320, 192), more=":intra-refresh=1")
    got = units(walked(make_track(), all_of(sent(stream[5:], "h264"))))
    assert got[0].key
    right = [n for n, unit in enumerate(got) if not unit.damaged]
    assert 0 < right[0] < 30
    assert right == list(range(right[0], len(got)))
    whole = images(units(walked(make_track(), all_of(sent(stream, "h264")))), "h264")
    shown = images(got, "h264")
    for unit in got[right[0] + 2 :]:
        assert np.array_equal(shown[unit.pts_ticks], whole[unit.pts_ticks])


def test_clean_random_access_begins_without_its_leading_pictures() -> None:
    stream = film(6.0, gop=25, b_frames=3, codec="libx265", size=(640, 352), more=":open-gop=1:b-adapt=0")
    got = units(walked(make_track("h265"), all_of(sent(stream[4:], "h265"))))
    assert got[0].key
    assert min(unit.pts_ticks for unit in got) == got[0].pts_ticks
    whole = images(units(walked(make_track("h265"), all_of(sent(stream, "h265")))), "h265")
    shown = images(got, "h265")
    assert len(shown) == len(got) > 90
    assert all(np.array_equal(shown[ticks], whole[ticks]) for ticks in shown)


@pytest.mark.parametrize(("reliable", "begins"), [(False, [5, 45, 85]), (True, [])])
def test_key_pictures_that_are_never_whole_begin_the_footage_where_packets_get_lost(
    reliable: bool, begins: list[int]
) -> None:
    """The second damaged one, then every eighth. Over TCP nothing is lost on the way: a whole one will come."""
    pictures = sent(film(4.0, slices=4, gop=5, size=(320, 192)), "h264")
    frames = [one for n, picture in enumerate(pictures) for one in (picture[:-1] if n % 5 == 0 else picture)]
    track = make_track(reliable=reliable)
    items = walked(track, frames)
    found = units(items)
    assert [unit.pts_ticks // 3600 - found[0].pts_ticks // 3600 + 5 for unit in found if unit.key] == begins
    assert len(found) == (95 if begins else 0)
    assert all(unit.damaged for unit in found)
    assert track.lost_packets == 20
