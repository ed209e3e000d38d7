"""RTP to access units: what cameras do, and what they should not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import StreamError
from ingest.rtp.track import Track
from ingest.video.nal import split_annex_b
from ingest.video.parameters import Role
from tests.support.cameras.rtp import frame, frames_of, h264_payloads, losses, make_track, units, walked
from tests.support.cameras.video import encoded
from tests.support.cameras.video import units as by_libav
from tests.support.rtsp.stream_parts import AUD, IDR, KEY, PICTURE, PPS, SEI, SPS, prefixed, stream

pytestmark = pytest.mark.usefixtures("both_scans")

LATER_SLICE = b"\x41\x40" + b"\x55" * 20  # first_mb_in_slice is not 0


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("size", [100, 1400, 60000])
def test_pictures_as_libav_gives_them(codec: str, b_frames: int, size: int) -> None:
    name = {"libx264": "h264", "libx265": "h265"}[codec]
    coded = encoded(2.0, codec=codec, b_frames=b_frames)
    made = units(walked(make_track(name), frames_of([(data, pts) for data, pts, _ in coded], codec=name, size=size)))
    expected = by_libav(coded, "h264" if name == "h264" else "hevc")
    first = made[0].pts_ticks - expected[0].pts_ticks
    assert [(unit.data, unit.pts_ticks - first, unit.key, unit.parameters) for unit in made] == [
        (unit.data, unit.pts_ticks, unit.key, unit.parameters) for unit in expected
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_split_gives_the_same(data: st.DataObject) -> None:
    coded = encoded(0.4, gop=5)
    frames = frames_of([(item, pts) for item, pts, _ in coded], size=200)
    dropped = data.draw(st.sets(st.integers(0, len(frames) - 1), max_size=3))
    whole = b"".join(item for n, item in enumerate(frames) if n not in dropped)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    expected = walked(make_track(), [whole])
    track, kept, got = make_track(), b"", []
    for begin, end in itertools.pairwise([0, *cuts, len(whole)]):
        piece = bytearray(kept + whole[begin:end] + bytes(32))
        stop = len(piece) - 32
        at = track.walk(memoryview(piece), 0, stop, 0, got)
        kept = bytes(piece[at:stop])
        piece[:] = b"\xff" * len(piece)
    assert got == expected


def sliced(pictures: int, marked: str) -> list[bytes]:
    """Two slices a picture, in packets of 200 bytes. ``marked``: "all" packets, or each "slice" 's last."""
    frames, number = [], 0
    for place in range(pictures):
        key = place % 8 == 0
        nals = (bytes((0x65 if key else 0x41,)) + first + bytes((place + 1,)) * 700 for first in (b"\x88", b"\x40"))
        for nal in (*((SPS, PPS) if key else ()), *nals):
            payloads = h264_payloads(nal, 200)
            for piece, payload in enumerate(payloads):
                marker = nal[0] & 31 < 6 and (marked == "all" or piece == len(payloads) - 1)
                frames.append(frame(payload, number, place * 3600, marker=marker))
                number += 1
    return frames


@pytest.mark.parametrize("marked", ["all", "slice"])
def test_marker_that_is_set_too_often_is_found_out_at_once(marked: str) -> None:
    items = walked(make_track(), [b"".join(sliced(24, marked))])
    pictures = units(items)
    whole = [unit for unit in pictures if len(unit.data) == 2 * (4 + 702)]
    cut = [unit for unit in pictures if unit not in whole]
    assert len(losses(items)) == len(cut) == (marked == "slice")
    # The last picture's end is not told. The first one was given out by half: what refers to it says so.
    assert len(whole) == (23 if marked == "all" else 22)
    assert [unit.damaged for unit in whole] == [False] * 23 if marked == "all" else [True] * 7 + [False] * 15
    assert all(len(set(unit.data[6:706])) == 1 for unit in whole)


@pytest.mark.parametrize("marked", ["all", "slice"])
@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(0, 24 * 1500), max_size=12))
def test_marker_that_is_set_too_often_is_so_for_any_split(marked: str, cuts: set[int]) -> None:
    whole = b"".join(sliced(24, marked))
    track, kept, got = make_track(), b"", []
    for begin, end in itertools.pairwise([0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]):
        piece = bytearray(kept + whole[begin:end] + bytes(32))
        stop = len(piece) - 32
        kept = bytes(piece[track.walk(memoryview(piece), 0, stop, 0, got) : stop])
    assert got == walked(make_track(), [whole])


def outcome(track: Track, frames: list[bytearray]) -> object:
    try:
        return walked(track, [b"".join(frames)])
    except StreamError as error:
        return str(error)


def bare(coded: Iterable[tuple[bytes, int, bool]], codec: str, messages: set[int]) -> list[tuple[bytes, int]]:
    """Parameter sets with the first picture only, so that all others begin with a slice; a SEI alone before some."""
    sliced = (lambda nal: nal[0] & 31 in (1, 5)) if codec == "h264" else (lambda nal: nal[0] >> 1 < 32)
    sei = (b"\x06" if codec == "h264" else bytes((39 << 1, 1))) + b"\x05\x55" * 150  # in two packets
    made: list[tuple[bytes, int]] = []
    for number, (data, pts, _) in enumerate(coded):
        if number in messages:
            made.append((b"\x00\x00\x01" + sei, pts - 1))
        kept = split_annex_b(data) if number == 0 else [nal for nal in split_annex_b(data) if sliced(nal)]
        made.append((b"".join(b"\x00\x00\x01" + nal for nal in kept), pts))
    return made


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_quick_way_into_a_picture_is_the_long_one_made_short(data: st.DataObject) -> None:
    """Packets lost, repeated, out of order, from elsewhere or with a changed header: the same, taken either way."""
    codec = data.draw(st.sampled_from(["h264", "h265"]))
    coded = encoded(0.6, gop=5, codec={"h264": "libx264", "h265": "libx265"}[codec])
    pictures = bare(coded, codec, data.draw(st.sets(st.integers(0, len(coded) - 1), max_size=2)))
    frames = [bytearray(item) for item in frames_of(pictures, codec=codec, size=200)]
    kinds = st.sampled_from(["lost", "twice", "later", "bit", "source", "unmarked"])
    changes = st.tuples(kinds, st.integers(0, len(frames) - 1), st.integers(40, 20 * 8))
    for what, place, bit in data.draw(st.lists(changes, max_size=4)):
        place = min(place, len(frames) - 1)
        last = next((n for n, item in enumerate(frames[place:], place) if item[5] & 0x80), 0)
        if what == "lost":
            del frames[place]
        elif what == "twice":
            frames.insert(place, bytearray(frames[place]))
        elif what == "later":
            frames.insert(place + 2, frames.pop(place))
        elif what == "source":
            for item in frames[last + 1 :]:
                item[12] ^= 1
        elif what == "unmarked":
            frames[last][5] &= 0x7F
        elif bit // 8 < len(frames[place]):
            frames[place][bit // 8] ^= 1 << bit % 8
    quick, long = make_track(codec), make_track(codec)
    for track in (quick, long):  # no start codes are looked for: the quick way is open from the beginning
        track._assembly.start_codes.plain_to = int(Role.KEY)
    long._scan = lambda view, at, *_: ((), at)  # packet by packet
    assert outcome(quick, frames) == outcome(long, frames)
    quick.counts.work = long.counts.work = 0
    assert quick.counts == long.counts


def test_delimiters_and_filler_are_left_out() -> None:
    (unit,) = units(walked(make_track(), stream((AUD, *KEY, b"\x0c\xff\xff"))))
    assert unit.data == prefixed(IDR)


def test_nothing_before_the_first_key_frame() -> None:
    items = walked(make_track(), stream((PICTURE,), (PICTURE,), KEY, (PICTURE,)))
    assert [unit.key for unit in units(items)] == [True, False]
    assert losses(items) == []


def test_lost_middle_costs_its_picture_and_what_refers_to_it_says_so() -> None:
    frames = stream(KEY, h264_payloads(b"\x41\x9a" + b"\x55" * 5000), (PICTURE,), (PICTURE,), KEY, (PICTURE,))
    del frames[5]
    items = walked(make_track(), frames)
    assert [type(item).__name__ for item in items] == ["AccessUnit", "Loss", *["AccessUnit"] * 4]
    (loss,) = losses(items)
    assert (loss.packets, loss.gap) == (1, False)
    assert [(unit.key, unit.damaged) for unit in units(items)] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
        (False, False),
    ]


def test_key_frame_with_a_lost_beginning_is_no_key_frame() -> None:
    second = b"\x65\x40" + b"\x55" * 40  # a later slice of the key frame
    frames = stream(KEY, (PICTURE,), (SPS, PPS, IDR, second), (PICTURE,), KEY)
    items = walked(make_track(), [*frames[:3], *frames[7:]])
    assert [(unit.key, unit.damaged) for unit in units(items)] == [(True, False), *[(False, True)] * 2, (True, False)]
    assert [loss.packets for loss in losses(items)] == [4]


def test_lost_marker_ends_the_picture_where_time_changes() -> None:
    frames = [frame(nal, n, n // 3 * 3600) for n, nal in enumerate((*KEY, PICTURE, SEI, SEI, PICTURE))]
    assert [unit.data for unit in units(walked(make_track(), frames))] == [prefixed(IDR), prefixed(PICTURE, SEI, SEI)]


def test_numbers_and_time_wrap() -> None:
    frames = stream(KEY, *[(PICTURE,)] * 8, start=0xFFFFFFFF - 9000, sequence=65530)
    items = walked(make_track(), frames)
    assert losses(items) == []
    times = [unit.pts_ticks for unit in units(items)]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [3600] * 8


def test_numbers_wrap_within_a_fragmented_unit() -> None:
    big = b"\x65\x88" + bytes(range(256)) * 200
    frames = [
        frame(payload, 65520 + n, 0, marker=False) for n, payload in enumerate([SPS, PPS, *h264_payloads(big)])
    ] + [frame(PICTURE, 65520 + 2 + len(h264_payloads(big)), 3600)]
    (unit,) = units(walked(make_track(), frames))
    assert unit.data == prefixed(big)


def test_repeated_packet_is_passed_over() -> None:
    frames = stream(KEY, (PICTURE,), (PICTURE,))
    track = make_track()
    items = walked(track, [*frames[:4], frames[3], frames[3], *frames[4:]])
    assert len(units(items)) == 3
    assert losses(items) == []
    assert track.counts.late == 2


def test_packet_repeated_among_b_frames_is_passed_over() -> None:
    """Its time is later than the picture's that is under way, and not later than all there were."""
    frames = [*stream(KEY), frame(PICTURE, 3, 3 * 3600, marker=True), frame(PICTURE, 4, 3600, marker=True)]
    track = make_track()
    items = walked(track, [*frames, frames[3], frame(PICTURE, 5, 2 * 3600, marker=True)])
    assert losses(items) == []
    assert (len(units(items)), track.counts.late) == (4, 1)


def test_other_source_goes_on_by_our_clock() -> None:
    track = make_track()
    first = units(walked(track, stream(KEY, (PICTURE,)), 1_000_000_000))
    second = [frame(nal, n, 99, marker=n == 2, ssrc=7) for n, nal in enumerate(KEY)]
    items = walked(track, second, 1_500_000_000)
    assert len(losses(items)) == 1
    assert units(items)[0].pts_ticks - first[-1].pts_ticks == 45000


@pytest.mark.parametrize("numbers", [(9,), (9, 11), (9, 9)])
@pytest.mark.parametrize("place", [3, 4, 5])
def test_packets_of_another_source_that_go_astray_cost_nothing(place: int, numbers: tuple[int, ...]) -> None:
    """Before a picture, within one, and behind one; neither do several that do not follow each other."""
    track = make_track()
    big = b"\x41\x9a" + bytes(4000)
    frames = stream(KEY, tuple(h264_payloads(big)), (PICTURE,), KEY)
    for later, number in enumerate(numbers):
        frames.insert(place + 2 * later, frame(PICTURE, number, 77, marker=True, ssrc=7))
    items = walked(track, frames)
    assert losses(items) == []
    assert [unit.pts_ticks for unit in units(items)] == [0, 3600, 7200, 10800]
    assert units(items)[1].data == prefixed(big)
    assert track.counts.foreign == len(numbers) - 1  # of the last one it is not known yet


def test_two_sources_in_turn_are_taken_for_one_and_the_other_astray() -> None:
    track = make_track()
    ours = stream(KEY, (PICTURE,), (PICTURE,), (PICTURE,))
    others = [frame(PICTURE, n, 99 + n, marker=True, ssrc=7) for n in range(len(ours))]
    items = walked(track, [each for pair in zip(ours, others, strict=True) for each in pair])
    assert losses(items) == []
    assert len(units(items)) == 4


def test_message_with_the_marker_belongs_to_the_picture() -> None:
    frames = [
        frame(nal, n, 0, marker=marker)
        for n, (nal, marker) in enumerate([(SPS, True), (PPS, True), (SEI, True), (IDR, True)])
    ]
    (unit,) = units(walked(make_track(), frames))
    assert unit.data == prefixed(SEI, IDR)


def test_marker_on_every_slice_is_found_out() -> None:
    picture = (b"\x41\x9a" + bytes(20), LATER_SLICE)
    frames, number = [], 0
    for place in range(6):
        for nal in (*KEY, b"\x65\x40" + bytes(9)) if place in (0, 3) else picture:
            frames.append(frame(nal, number, place * 3600, marker=nal[0] & 31 < 6))
            number += 1
    items = walked(make_track(), frames)
    assert len(losses(items)) == 1
    assert units(items)[-1].data == prefixed(*picture)
    assert units(items)[-2].key


def test_start_codes_within_a_packet() -> None:
    mixed = SPS + b"\x00\x00\x00\x01" + PPS + b"\x00\x00\x01" + IDR
    (unit,) = units(walked(make_track(), [frame(mixed, 1, 0, marker=True)]))
    assert unit.data == prefixed(IDR)
    assert unit.parameters.pps == (PPS,)


def test_same_time_for_two_pictures_is_moved_on() -> None:
    track = make_track()
    frames = [frame(nal, n, 100, marker=n > 1) for n, nal in enumerate((*KEY, PICTURE, PICTURE))]
    assert [unit.pts_ticks for unit in units(walked(track, frames))] == [100, 101, 102]


def extended(payload: bytes, number: int, *, flags: int, before: bytes, behind: bytes) -> bytes:
    plain = frame(payload, number, 0, marker=number == 2)
    body = bytes((0x80 | flags,)) + plain[5:16] + before + payload + behind
    return plain[:2] + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("flags", "before", "behind"),
    [
        (0x02, bytes(8), b""),
        (0x10, b"\xbe\xde\x00\x02" + bytes(8), b""),
        (0x20, b"", b"\x00\x00\x03"),
        (0x31, bytes(4) + b"\xab\xac\x00\x00", b"\x01"),
    ],
)
def test_header_with_sources_extension_and_padding(flags: int, before: bytes, behind: bytes) -> None:
    frames = [extended(nal, n, flags=flags, before=before, behind=behind) for n, nal in enumerate(KEY)]
    (unit,) = units(walked(make_track(), frames))
    assert unit.data == prefixed(IDR)


@pytest.mark.parametrize("payload", [b"", b"\x80", bytes(11), b"\x40" + bytes(11), b"\xb0\x60" + bytes(10)])
def test_malformed_packets_are_counted(payload: bytes) -> None:
    track = make_track()
    walked(track, [b"$\x00" + len(payload).to_bytes(2, "big") + payload])
    assert track.malformed == 1 or track.counts.foreign == 1
    assert not track._assembly.parts


def test_other_payload_type_is_passed_over() -> None:
    track = make_track()
    items = walked(
        track, [*stream(KEY), frame(b"\x00" * 30, 77, 0, kind=8), *stream((PICTURE,), sequence=3, start=3600)]
    )
    assert (len(units(items)), track.counts.foreign) == (2, 1)


def test_endless_picture_is_given_up() -> None:
    track = make_track()
    piece = b"\x7c\x05" + bytes(60000)
    walked(track, stream(KEY, sequence=0))
    walked(track, [frame(b"\x7c\x85\x88", 3, 3600)])
    items = []
    for number in range(400):
        items += walked(track, [frame(piece, 4 + number, 3600)])
    assert losses(items)[0].detail == "a picture of more than 16 MiB"
    assert sum(map(len, track._assembly.parts)) <= 17 << 20


def test_h265_extension_packets_are_refused() -> None:
    with pytest.raises(StreamError, match="PACI"):
        walked(make_track("h265"), [frame(b"\x64\x01" + bytes(20), 1, 0)])
