"""Recovery points in place of key pictures, and what pictures show after one (ITU-T H.264, D.2.8)."""

from __future__ import annotations

from ingest.access_unit import TICKS_PER_S
from ingest.rtp.refresh import RecoveryPoints, Refresh, Shown

SLICE = b"\x41\x9a" + b"\x55" * 20


def access_unit(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def recovery(code: int) -> bytes:
    """SEI, payloadType 6, one byte: recovery_frame_cnt as ue(v), then the flags; trailing bits."""
    return bytes((0x06, 0x06, 0x01, code, 0x80))


AT_ONCE = access_unit(recovery(0b1_10_00_100), SLICE)
AFTER_TWO = access_unit(recovery(0b011_1_0_00_1), SLICE)


def test_count_of_the_message_is_found_and_only_before_the_slices() -> None:
    points = RecoveryPoints("h264")
    assert points.frames(AT_ONCE, 0) == 0
    assert points.frames(AFTER_TWO, 3600) == 2
    assert points.frames(access_unit(SLICE), 7200) is None
    assert points.frames(access_unit(SLICE, recovery(0b1_10_00_100)), 7200) is None


def test_two_points_without_a_key_picture_serve_as_key_pictures_until_one_arrives() -> None:
    points = RecoveryPoints("h264")
    points.frames(AT_ONCE, 0)
    points.frames(AT_ONCE, 0)  # the same picture again proves nothing
    assert not points.instead_of_keys
    points.frames(AT_ONCE, 3600)
    assert points.instead_of_keys
    points.key(7200)
    assert not points.instead_of_keys
    assert points.look_from == 7200 + 12 * TICKS_PER_S


def test_earlier_pictures_show_nothing_at_the_start_and_errors_later() -> None:
    assert Refresh(3600, 0, anew=True).of(0) is Shown.NOTHING
    assert Refresh(3600, 0, anew=False).of(0) is Shown.ERRORS


def test_pictures_are_right_after_the_stated_count() -> None:
    refresh = Refresh(0, 2, anew=True)
    assert [refresh.of(3600 * number) for number in range(1, 5)] == [
        *(Shown.ERRORS, Shown.ERRORS),
        *(Shown.RIGHTLY, Shown.RIGHTLY),
    ]
