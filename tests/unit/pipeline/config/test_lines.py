"""The line of an option, in nested arrays too."""

from __future__ import annotations

from pipeline.config.lines import line_of

GOOD = """\
[[site]]
name = "Helsinki"

[[site.camera]]
name = "Entrance"
url = "rtsp://192.168.1.10/one"
zone = "hall"
purpose = "safety"
assessment = "2026-1"

[[site.camera]]
name = "Weights"
url = "rtsp://192.168.1.11/one"
zone = "gym"
purpose = "safety"
assessment = "2026-1"

[[site.door]]
name = "Main"
external_id = "main"
cameras = [{ name = "Entrance" }]

[[door_system]]
site = "Helsinki"
topic = "access/helsinki/+"
"""


def test_line_of_finds_nested_arrays() -> None:
    assert line_of(GOOD, ("site", 0, "camera", 1, "url")) == 13
    assert line_of(GOOD, ("site", 0, "camera", 1, "missing")) == 11
    assert line_of(GOOD, ("door_system", 0)) == 23
    assert line_of(GOOD, ("nothing",)) == 1
