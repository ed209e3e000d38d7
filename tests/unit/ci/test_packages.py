"""Which Debian packages ``./test`` asks for: every need is checked by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.cameras.gst_camera import NEEDS

REPOSITORY = Path(__file__).resolve().parents[3]
_NOT_ROOT = 'id() { echo 1000; }; say() { echo "$*" >&2; }'


def told(overrides: str) -> str:
    """What it says, with some of its checks replaced, to somebody who is not root."""
    script = (REPOSITORY / ".ci" / "packages.sh").read_text()
    for name in ("program", "element", "typelib", "library", "plugin"):
        assert f"    {name}() {{" in script
        script = script.replace(f"    {name}() {{", f'    {name}() {{ lacks "$1" && return 1; return 0; ')
    script = script.replace('/usr/bin/python3 -c "import gi"', "program python3-gi")
    done = subprocess.run(
        ["sh", "-c", f"{_NOT_ROOT}\n{overrides}\n{script}\ndebian_packages"], capture_output=True, text=True, check=True
    )
    return done.stderr


@pytest.mark.parametrize(
    ("lacking", "package"),
    [
        *NEEDS.items(),
        ("avdec_h264", "gstreamer1.0-libav"),
        ("GstRtspServer", "gir1.2-gst-rtsp-server-1.0"),
        ("libvlc.so.5", "libvlc5"),
        ("firefox-esr", "firefox-esr"),
    ],
)
def test_packages_one_need_missing_only_its_package_is_asked_for(lacking: str, package: str) -> None:
    said = told(f'lacks() {{ [ "$1" = {lacking} ]; }}')
    assert said.splitlines()[-1] == f"  not root: going on without. As root: apt-get install {package}"


def test_packages_nothing_missing_says_nothing() -> None:
    assert told("lacks() { return 1; }") == ""
