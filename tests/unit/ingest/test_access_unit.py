"""Parameter sets: which of them there are, and when two decode the same stream."""

from __future__ import annotations

from ingest.access_unit import VideoParameters


def test_all_sets_of_either_codec() -> None:
    plain = VideoParameters(codec="h264", sps=b"s", pps=(b"p", b"q"))
    assert plain.all - {b""} == {b"s", b"p", b"q"}
    more = VideoParameters(codec="h265", vps=b"v", sps=b"s", pps=(b"p",), more_vps=(b"w",), more_sps=(b"t",))
    assert more.all == {b"v", b"s", b"p", b"w", b"t"}


def test_equal_sets_are_equal_parameters() -> None:
    one, other = (VideoParameters(codec="h264", sps=b"s", pps=(b"p",)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != VideoParameters(codec="h265", sps=b"s", pps=(b"p",))
