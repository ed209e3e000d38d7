"""RTP to access units: what cameras do, and what they should not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import StreamError
from ingest.media.init import make_init
from ingest.rtp import h264, h265
from ingest.rtp.track import Track
from ingest.video.nal import split_annex_b
from ingest.video.parameters import Role, described, parameters_from
from tests.support.cameras.rtp import frame, frames_of, h264_payloads, losses, make_track, units, walked
from tests.support.cameras.video import encoded
from tests.support.cameras.video import units as by_libav

SPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92")
PPS = bytes.fromhex("68cb8cb2")
IDR, PICTURE, SEI, AUD = b"\x65\x88" + b"\x55" * 50, b"\x41\x9a" + b"\x55" * 30, b"\x06\x05\x01\x55\x80", b"\x09\xf0"
LATER_SLICE = b"\x41\x40" + b"\x55" * 20  # first_mb_in_slice is not 0


def prefixed(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def stream(*pictures: tuple[bytes, ...], start: int = 0, sequence: int = 0) -> list[bytes]:
    """Each picture's NAL units, each in a packet of its own; 3600 ticks apart."""
    numbers = itertools.count(sequence)
    return [
        frame(nal, next(numbers), start + 3600 * n, marker=place == len(nals) - 1)
        for n, nals in enumerate(pictures)
        for place, nal in enumerate(nals)
    ]


KEY = (SPS, PPS, IDR)


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
    quick._assembly.start_codes.begins = (h264 if codec == "h264" else h265).SLICES
    assert outcome(quick, frames) == outcome(long, frames)
    quick.counts.work = long.counts.work = 0
    assert quick.counts == long.counts


def test_aggregate_holds_several_units() -> None:
    together = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in (SPS, PPS, SEI, IDR))
    (unit,) = units(walked(make_track(), [frame(together, 1, 0, marker=True)]))
    assert unit.data == prefixed(SEI, IDR)
    assert unit.parameters.sps == SPS


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


@pytest.mark.parametrize("changed", [b"\x7c\x01", b"\x1c\x05", b"\x7c\x25"])
def test_fragment_whose_header_changes_is_taken(changed: bytes) -> None:
    big = b"\x65\x88" + bytes(4000)
    payloads = h264_payloads(big)
    payloads[1] = changed + payloads[1][2:]
    (unit,) = units(walked(make_track(), stream((SPS, PPS, *payloads))))
    assert unit.data == prefixed(big)


def test_fragments_without_a_beginning_are_a_loss() -> None:
    tail = h264_payloads(b"\x41\x9a" + bytes(4000))[1:]
    items = walked(make_track(), stream(KEY, tuple(tail), (PICTURE,), KEY))
    assert [type(item).__name__ for item in items] == ["AccessUnit", "Loss", "AccessUnit", "AccessUnit"]
    assert [unit.damaged for unit in units(items)] == [False, True, False]


def test_fragment_that_is_first_and_last() -> None:
    both = bytes((IDR[0] & 0xE0 | 28, 0xC0 | 5)) + IDR[1:]
    (unit,) = units(walked(make_track(), stream((SPS, PPS, both))))
    assert unit.data == prefixed(IDR)


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


def test_parameter_sets_changed_in_mid_stream() -> None:
    other = SPS[:-1] + b"\x96"
    items = units(walked(make_track(), stream(KEY, (PICTURE,), (other, PPS, IDR), (PICTURE,), (other, PPS, IDR))))
    assert [unit.parameters.sps for unit in items] == [SPS, SPS, other, other, other]
    assert items[0].parameters is items[1].parameters
    assert items[2].parameters is items[4].parameters


def test_parameter_sets_after_the_picture_they_come_with() -> None:
    first, second = units(walked(make_track(), stream((IDR, SPS, PPS), (IDR,))))
    assert (first.data, second.data) == (prefixed(IDR), prefixed(IDR))


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


@pytest.mark.parametrize("payload", [b"\x79" + bytes(20), b"\x7a" + bytes(20), b"\x7d\x85" + bytes(20)])
def test_interleaved_mode_is_refused(payload: bytes) -> None:
    with pytest.raises(StreamError, match="interleaved"):
        walked(make_track(), [frame(payload, 1, 0)])


def test_h265_extension_packets_are_refused() -> None:
    with pytest.raises(StreamError, match="PACI"):
        walked(make_track("h265"), [frame(b"\x64\x01" + bytes(20), 1, 0)])


def test_senseless_parameter_sets_are_refused() -> None:
    with pytest.raises(StreamError):
        walked(make_track(), stream((b"\x67\x64\x00", PPS, IDR)))
    with pytest.raises(StreamError):
        walked(make_track(), stream((b"\x67" + bytes(5000) + b"\x01", PPS, IDR)))


@pytest.mark.parametrize("around", [(b"", b""), (b"\x00\x00\x00\x01", b""), (b"", b"\x00\x00\x00\x01"), (b"", b"\x00")])
def test_described_sets_with_start_codes_and_trailing_bytes(around: tuple[bytes, bytes]) -> None:
    made = described("h264", [around[0] + item + around[1] for item in (SPS, PPS)])
    assert made is not None
    assert (made.sps, made.pps) == (SPS, (PPS,))


def test_described_sets_that_make_no_sense_are_ignored() -> None:
    assert described("h264", [b"\x67\x64", PPS]) is None
    assert described("h264", [b"", b""]) is None
    assert described("h264", [SPS]) is None


def test_two_sets_under_two_ids_beside_each_other_are_both_told() -> None:
    """Every key picture comes with the sets of two coders; pictures of either follow, and all of them decode."""
    sizes = [(320, 192), (640, 352)]
    coders = [encoded(2, gop=25, size=size, more=f":sps-id={ident}") for size, ident in zip(sizes, (0, 3), strict=True)]
    heads = [_sets_of(coder[0][0]) for coder in coders]
    assert len({*heads[0], *heads[1]}) == 4
    both = b"".join(b"\x00\x00\x00\x01" + item for head in heads for item in head)
    mixed = [coders[place // 25][place] for place in range(50)]
    pictures = [((both if key else b"") + data, place * 3600) for place, (data, _, key) in enumerate(mixed)]
    found = units(walked(make_track(), frames_of(pictures)))
    assert len(found) == 50
    for start, mine, other in ((0, 0, 1), (25, 1, 0)):
        run = found[start : start + 25]
        (parameters,) = {id(unit.parameters): unit.parameters for unit in run}.values()
        # The key picture says by its PPS which one it means: another size would be another segment.
        assert (parameters.sps, parameters.more_sps) == (heads[mine][0], (heads[other][0],))
        codec, init = make_init(parameters)
        assert (codec.width, codec.height) == sizes[mine]
        at = init.index(b"avcC")
        decoder = av.CodecContext.create("h264", "r")
        decoder.extradata = init[at + 4 : at - 4 + int.from_bytes(init[at - 4 : at], "big")]
        decoded = [frame for unit in run for frame in decoder.decode(av.Packet(unit.data))]
        decoded += decoder.decode(None)
        assert len(decoded) == 25
        assert not any(frame.is_corrupt for frame in decoded)


def _sets_of(data: bytes) -> list[bytes]:
    return [item for item in split_annex_b(data) if item[0] & 31 in (7, 8)]


def test_another_set_under_the_same_id_takes_its_place_and_what_referred_to_it_goes() -> None:
    first, second, other = (_sets_of(encoded(0.1, size=size, more=f":sps-id={ident}")[0][0]) for size, ident in
                            (((320, 192), 0), ((640, 352), 0), ((320, 192), 3)))  # fmt: skip
    known = described("h264", [*first, *other])
    assert known is not None
    made = parameters_from("h264", second[:1], known)
    assert made is None  # its PPS has to follow
    made = parameters_from("h264", second, known)
    assert made is not None
    assert (made.sps, made.more_sps, set(made.pps)) == (second[0], (other[0],), {other[1], second[1]})
    assert parameters_from("h264", [*other, *second], made) is made  # the order alone is no change


def test_ids_that_are_counted_up_are_forgotten_in_turn() -> None:
    known = None
    for ident in (*range(32), *range(32)):
        head = _sets_of(encoded(0.04, more=f":sps-id={ident}")[0][0])
        known = parameters_from("h264", head, known)
        assert known is not None
        assert set(head) <= known.all
    assert known is not None
    assert len(known.more_sps) < 10


def test_the_vps_that_is_referred_to_is_told_first() -> None:
    stream = encoded(0.1, codec="libx265")
    vps, sps, pps = (item for item in split_annex_b(stream[0][0]) if item[0] >> 1 & 63 in (32, 33, 34))
    other = vps[:2] + bytes((vps[2] | 0x10,)) + vps[3:]
    for order in ((vps, other), (other, vps)):
        made = parameters_from("h265", [*order, sps, pps], None)
        assert made is not None
        assert (made.vps, made.more_vps) == (vps, (other,))
    assert parameters_from("h265", [other, sps, pps], None) is None
