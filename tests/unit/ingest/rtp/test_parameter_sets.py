"""Parameter sets in the stream and in the description: which of several a picture gets."""

from __future__ import annotations

import av
import pytest

from ingest.errors import StreamError
from ingest.media.init import make_init
from ingest.video.nal import split_annex_b
from ingest.video.parameters import described, parameters_from
from tests.support.cameras.rtp import frames_of, make_track, units, walked
from tests.support.cameras.video import encoded
from tests.support.rtsp.stream_parts import IDR, KEY, PICTURE, PPS, SPS, prefixed, stream


def test_parameter_sets_changed_in_mid_stream() -> None:
    other = SPS[:-1] + b"\x96"
    items = units(walked(make_track(), stream(KEY, (PICTURE,), (other, PPS, IDR), (PICTURE,), (other, PPS, IDR))))
    assert [unit.parameters.sps for unit in items] == [SPS, SPS, other, other, other]
    assert items[0].parameters is items[1].parameters
    assert items[2].parameters is items[4].parameters


def test_parameter_sets_after_the_picture_they_come_with() -> None:
    first, second = units(walked(make_track(), stream((IDR, SPS, PPS), (IDR,))))
    assert (first.data, second.data) == (prefixed(IDR), prefixed(IDR))


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
