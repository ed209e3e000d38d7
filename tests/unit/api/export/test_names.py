"""Names of exported files: readable, and safe on any file system and in a header."""

from __future__ import annotations

import uuid

import pytest

from api.export.names import attachment, file_name, plain_name
from api.sign_in.scope import CameraRow
from domain.ids import CameraId, SiteId
from domain.time import Span, from_iso


def test_file_is_named_by_camera_and_start() -> None:
    camera = CameraRow(
        camera_id=CameraId(uuid.uuid4()), site_id=SiteId(uuid.uuid4()), name="Lobby", retention_s=1, removed=False
    )
    start_ns = from_iso("2026-11-22T06:31:04.5Z")
    assert file_name(camera, Span(start_ns, start_ns + 1)) == "Lobby 2026-11-22T06-31-04Z.mp4"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Lobby 1.mp4", "Lobby-1.mp4"),
        ("Pääovi/länsi.mp4", "Paaovi-lansi.mp4"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\r\nSet-Cookie: b", "a-Set-Cookie-b"),
        ('"quoted"\\', "quoted"),
        ("...", "clip.mp4"),
        ("門", "clip.mp4"),
        ("", "clip.mp4"),
    ],
)
def test_plain_name_has_no_sign_that_a_file_system_reads(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_attachment_says_the_true_name_in_a_form_that_no_header_breaks_on() -> None:
    assert attachment("Pääovi\r\n.mp4") == (
        "attachment; filename=\"Paaovi-.mp4\"; filename*=UTF-8''P%C3%A4%C3%A4ovi%0D%0A.mp4"
    )
