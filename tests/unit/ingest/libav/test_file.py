"""Recorded files through libav: every container gives the pictures that were put in; what is no video is refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from ingest.access_unit import AccessUnit
from ingest.libav.file import FileFacts, FileRefusedError, opened, scan
from tests.support.cameras.video import encoded, units, written


def _read(path: Path) -> list[AccessUnit]:
    with opened(path) as file:
        return list(file.units())


def _facts(path: Path) -> FileFacts:
    return list(scan(path))[-1]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv", "mov"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_container_gives_the_pictures_that_were_put_in(tmp_path: Path, suffix: str, b_frames: int) -> None:
    stream = encoded(2.0, b_frames=b_frames)
    found = _read(written(tmp_path / f"a.{suffix}", stream))
    expected = units(stream)
    assert [unit.key for unit in found] == [unit.key for unit in expected]
    first, first_expected = found[0].pts_ticks, expected[0].pts_ticks
    for unit, wanted in zip(found, expected, strict=True):
        assert abs((unit.pts_ticks - first) - (wanted.pts_ticks - first_expected)) <= 90  # FLV and Matroska count in ms
        assert unit.parameters == wanted.parameters
        assert unit.data.endswith(wanted.data[-1000:])  # what goes before a picture may be left out or doubled


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_h265_gives_its_pictures(tmp_path: Path, suffix: str) -> None:
    stream = encoded(1.0, codec="libx265")
    found = _read(written(tmp_path / f"a.{suffix}", stream, codec="hevc"))
    assert len(found) == len(stream)
    assert {unit.parameters.codec for unit in found} == {"h265"}


def test_facts_are_those_of_the_whole_file(tmp_path: Path) -> None:
    facts = _facts(written(tmp_path / "a.mp4", encoded(3.0, b_frames=2)))
    assert (facts.codec, facts.pictures, facts.keys, facts.audio) == ("h264", 75, 3, False)
    assert facts.duration_ns == 3 * 10**9


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_players_hide_is_told_apart(tmp_path: Path, b_frames: int) -> None:
    """Cut at 1.4 s without coding anew: the group of pictures that begins at 1 s is there from its beginning."""
    cut = written(tmp_path / "a.mp4", encoded(3.0, b_frames=b_frames)[25:], hidden_ticks=126_000)
    facts = _facts(cut)
    assert facts.pictures == 50
    assert facts.hidden_ns == 400_000_000
    assert facts.duration_ns == 2 * 10**9
    assert _facts(written(tmp_path / "b.mp4", encoded(3.0, b_frames=b_frames))).hidden_ns == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no MP4"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "no MP4"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no MP4"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(200), "cannot be read as video"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), "cannot be read as video"),
        (b"G" + bytes(187) + b"G" + bytes(400), "cannot be read as video|no video"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(FileRefusedError, match=words) as caught:
        _facts(path)
    assert "a.mp4" in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="is no file"):
        _facts(tmp_path / "none.mp4")


def test_codec_that_is_not_recorded_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        track = container.add_stream("mjpeg", rate=25)
        track.width, track.height, track.pix_fmt = 64, 64, "yuvj420p"
        for packet in track.encode(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuvj420p")):
            container.mux(packet)
        for packet in track.encode(None):
            container.mux(packet)
    with pytest.raises(FileRefusedError, match="mjpeg"):
        _facts(path)


def test_two_recordings_in_one_file_are_refused(tmp_path: Path) -> None:
    first = written(tmp_path / "a.ts", encoded(8.0)).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first + first)
    with pytest.raises(FileRefusedError, match="go back"):
        _facts(joined)


def test_truncated_file_gives_what_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ts", encoded(4.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    facts = _facts(path)
    assert 20 < facts.pictures < 100
    assert facts.duration_ns == facts.pictures * 40_000_000  # no picture without its time, no time without a picture
