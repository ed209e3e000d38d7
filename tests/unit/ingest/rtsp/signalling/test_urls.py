"""Addresses of requests: every careless way to write one, and never another host than the one asked."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.rtsp.signalling.urls import CANDIDATES_MAX, bases, clean, on_host, same_host, track_urls

OURS = "rtsp://192.0.2.7:8554/live?profile=1"


@pytest.mark.parametrize(
    ("theirs", "first"),
    [
        ("rtsp://192.0.2.7:8554/live/", "rtsp://192.0.2.7:8554/live/"),
        ("rtsp://10.0.0.1/live", "rtsp://192.0.2.7:8554/live"),  # the address behind a router
        ("rtsp://rtsp://192.0.2.7/live", "rtsp://192.0.2.7:8554/live"),
        ("rtsp:///live", "rtsp://192.0.2.7:8554/live"),
        ("192.0.2.7:8554/live", "rtsp://192.0.2.7:8554/live"),
        ("[2001:db8::7]:554/live", "rtsp://192.0.2.7:8554/live"),
        ("/live", "rtsp://192.0.2.7:8554/live"),
        ("live", "rtsp://192.0.2.7:8554/live"),
        ('"rtsp://192.0.2.7/live"', "rtsp://192.0.2.7:8554/live"),
        ("rtsp://user:pass@192.0.2.7/live", "rtsp://192.0.2.7:8554/live"),
    ],
)
def test_address_is_read_as_path_on_our_host(theirs: str, first: str) -> None:
    assert on_host(OURS, theirs)[0] == first


@pytest.mark.parametrize(
    ("base", "control", "first"),
    [
        ("rtsp://h/live/", "trackID=1", "rtsp://h/live/trackID=1"),
        ("rtsp://h/live", "trackID=1", "rtsp://h/live/trackID=1"),
        ("rtsp://h/live", "*", "rtsp://h/live"),
        ("rtsp://h/live", "", "rtsp://h/live"),
        ("rtsp://h/live", "rtsp://h/live/track1", "rtsp://h/live/track1"),
        ("rtsp://h/live", "?track=1", "rtsp://h/live?track=1"),
    ],
)
def test_control_attribute_is_first_read_as_cameras_mean_it(base: str, control: str, first: str) -> None:
    assert track_urls([base], control)[0] == first


def test_relative_resolution_of_the_standard_is_among_the_candidates() -> None:
    """RFC 2326, C.1.1, by the rules for relative addresses: the last segment of the base goes."""
    assert "rtsp://h/track1" in track_urls(["rtsp://h/live"], "track1")


def test_control_attribute_that_repeats_the_base_s_end_is_also_read_without_the_repetition() -> None:
    assert "rtsp://h/cam/live/track1" in track_urls(["rtsp://h/cam/live"], "live/track1")


@given(st.text(max_size=60), st.text(max_size=60))
@example("", "A:@")
@example("", "ftp://evil.example/live")
@example("ftp://evil.example/live", "a")
def test_no_text_leads_to_another_host_or_breaks_a_request_line(base: str, control: str) -> None:
    found = track_urls(bases(OURS, base, ""), control)
    assert 1 <= len(found) <= CANDIDATES_MAX
    assert len(set(found)) == len(found)
    for url in found:
        assert url.startswith("rtsp://192.0.2.7:8554")
        assert url == clean(url)
        assert url.isascii() and not set(url) & set(" \r\n\t")


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("rtsp://Camera/live", True),
        ("rtsp://192.0.2.7:554/live", True),
        ("rtsp://user:pass@camera/live", True),
        ("rtsp://camera.evil/live", False),
        ("rtsp://evil/camera", False),
        ("rtsp://[/", False),
        ("live", False),
    ],
)
def test_redirect_stays_on_the_host_that_was_asked(url: str, same: bool) -> None:
    assert same_host(url, ("camera", "192.0.2.7")) is same
