"""NAL units put together from pieces, and access units from NAL units."""

from __future__ import annotations

import pytest

from ingest.rtp.assembly import MAX_BYTES, MAX_PIECES, Assembly
from ingest.rtp.counts import Counts
from ingest.video.parameters import Role

SPS, PPS = b"\x67\x42\xc0\x1e\xd9", b"\x68\xcb\x8c"
IDR, SEI = b"\x65\x88" + b"\x55" * 20, b"\x06\x05\x01\x55\x80"


def assembly() -> Assembly:
    return Assembly("h264", Counts())


def sized(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def test_pieces_become_one_unit_behind_its_length() -> None:
    unit = assembly()
    unit.whole(SEI, int(Role.KEEP))
    unit.begin(IDR[:1], int(Role.KEY), IDR[1:5])
    unit.parts.append(IDR[5:])
    unit.check()
    unit.end()
    assert (unit.key, unit.sliced) == (True, True)
    assert unit.take() == sized(SEI, IDR)
    assert (unit.key, unit.sliced, unit.parts) == (False, False, [])


def test_parameter_sets_are_kept_apart_and_delimiters_dropped() -> None:
    unit = assembly()
    for nal, role in ((b"\x09\xf0", Role.DROP), (SPS, Role.SET), (PPS + b"\x00\x00", Role.SET), (IDR, Role.KEY)):
        unit.whole(nal, int(role))
    assert unit.sets == [SPS, PPS]
    assert unit.take() == sized(IDR)


def test_loss_within_a_unit_takes_the_unit_and_keeps_its_header() -> None:
    unit = assembly()
    unit.whole(SEI, int(Role.KEEP))
    unit.begin(IDR[:1], int(Role.KEY), IDR[1:5])
    unit.tear()
    unit.check()
    assert (unit.torn, unit.torn_head, unit.open_at) == (True, IDR[:1], -1)
    assert b"".join(unit.parts) == sized(SEI)
    unit.drop()
    assert (unit.torn, unit.torn_head) == (False, b"")


def test_views_are_copied_before_the_buffer_is_used_again() -> None:
    unit = assembly()
    buffer = bytearray(IDR)
    unit.begin_view(IDR[:1], int(Role.KEY))
    unit.add_views([memoryview(buffer)[1:8], memoryview(buffer)[8:]], 2)
    assert unit.keep()
    buffer[:] = bytes(len(buffer))
    unit.end()
    assert unit.take() == sized(IDR)


def test_access_unit_that_grows_too_large_is_noticed() -> None:
    unit = assembly()
    unit.begin(IDR[:1], int(Role.KEY), b"")
    piece = bytes(MAX_BYTES // 300)
    fits = []
    for _ in range(400):
        unit.parts.append(piece)
        fits.append(unit.keep())
    assert fits[0]
    assert not all(fits)


@pytest.mark.parametrize("together", [256, 8192])
def test_access_unit_of_too_many_pieces_is_noticed_however_they_come(together: int) -> None:
    """Each may be a single byte; what was moved together counts as the packets that it was."""
    unit = assembly()
    unit.begin_view(IDR[:1], int(Role.KEY))
    assert unit.keep()
    for _ in range(1, MAX_PIECES // together):
        unit.add_views([memoryview(b"x")], together)
        assert unit.keep()
    unit.add_views([memoryview(b"x")], together)
    assert not unit.keep()


def test_size_follows_what_is_cut_off() -> None:
    unit = assembly()
    for _ in range(40):
        unit.begin(IDR[:1], int(Role.KEY), bytes(MAX_BYTES // 20))
        assert unit.keep()
        unit.tear()
        unit.check()


def test_units_without_a_slice_wait_for_the_next_picture() -> None:
    unit = assembly()
    unit.whole(SEI, int(Role.KEEP))
    assert unit.await_slice() is False
    for _ in range(100):
        unit.whole(SEI, int(Role.KEEP))
    assert unit.await_slice() is True
    assert unit.torn
