"""What libav says of lost packets and of errors, without an address."""

from __future__ import annotations

import av.error
import pytest

from ingest.libav.worker import lost_by, told


def test_lost_packets_are_counted_once() -> None:
    said = [(24, "rtsp", "RTP: missed 3 packets\n"), (24, "rtsp", "RTP: missed -65000 packets\n"), (16, "tcp", "x")]
    assert lost_by(said) == 4  # what is missed is one at least, however it is counted
    assert lost_by(said) == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (av.error.HTTPUnauthorizedError(1, "x", "rtsp://u:sesame@10.0.0.2/"), "unauthorized"),
        (av.error.InvalidDataError(1, "x", "rtsp://u:sesame@10.0.0.2/"), "not understood"),
        (OSError(113, "No route to host"), "away"),
    ],
)
def test_errors_are_told_without_an_address(error: Exception, kind: str) -> None:
    found = told(error)
    assert found["kind"] == kind
    assert "sesame" not in str(found)
