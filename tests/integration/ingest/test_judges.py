"""Our MP4 before judges that were not written here: ffprobe, GStreamer's qtdemux, Chromium by MediaSource."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domain.time import NS
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import FragmentWriter
from ingest.media.segmenter import Append, Begin, Segmenter
from ingest.rtp.aac import sound_format
from tests.support.cameras.sound import aac, fragments_of, with_tone
from tests.support.cameras.video import encoded, units

KINDS = [("libx264", "h264", 0), ("libx264", "h264", 3), ("libx265", "hevc", 0), ("libx265", "hevc", 3)]
_START_NS = 1_790_000_000 * NS
CHROMIUM = shutil.which("chromium")


def segments(stream: list[Any]) -> list[tuple[str, bytes]]:
    """(mime, MP4) of each segment of a stream of access units."""
    writer, segmenter = FragmentWriter(), Segmenter(60, 90)
    fragments = [fragment for unit in stream if (fragment := writer.push(unit))]
    fragments += iter(writer.flush, None)
    first = fragments[0].start_ticks
    made: list[tuple[str, list[bytes]]] = []
    for item in fragments:
        begin, end = (_START_NS + ticks_to_ns(ticks - first) for ticks in (item.start_ticks, item.end_ticks))
        for action in segmenter.push(item, begin, end):
            if isinstance(action, Begin):
                made.append((action.codec.mime, [action.init]))
            elif isinstance(action, Append):
                made[-1][1].append(b"".join(action.pieces))
    return [(mime, b"".join(parts)) for mime, parts in made]


def segment(codec: str, name: str, b_frames: int) -> tuple[str, bytes]:
    (made,) = segments(units(encoded(4, gop=50, b_frames=b_frames, codec=codec), name))
    return made


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe (Debian: ffmpeg) is not installed")
@pytest.mark.parametrize(("codec", "name", "b_frames"), KINDS)
def test_ffprobe_reads_every_picture_without_a_warning(tmp_path: Path, codec: str, name: str, b_frames: int) -> None:
    _, mp4 = segment(codec, name, b_frames)
    path = tmp_path / "segment.mp4"
    path.write_bytes(mp4)
    command = ["ffprobe", "-v", "warning", "-count_frames", "-show_streams", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (stream,) = json.loads(done.stdout)["streams"]
    assert done.stderr == ""
    assert (stream["codec_name"], stream["nb_read_frames"], stream["width"]) == (name, "100", 320)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe (Debian: ffmpeg) is not installed")
def test_ffprobe_warns_of_a_broken_segment(tmp_path: Path) -> None:
    """Positive control."""
    _, mp4 = segment("libx264", "h264", 0)
    path = tmp_path / "segment.mp4"
    path.write_bytes(mp4[:3000] + bytes(2000) + mp4[5000:])
    command = ["ffprobe", "-v", "warning", "-count_frames", "-show_streams", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr != ""


@pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0 is not installed")
@pytest.mark.parametrize(("codec", "name", "b_frames"), KINDS)
def test_gstreamer_demuxes_every_picture(tmp_path: Path, codec: str, name: str, b_frames: int) -> None:
    _, mp4 = segment(codec, name, b_frames)
    path = tmp_path / "segment.mp4"
    path.write_bytes(mp4)
    parser = "h264parse" if name == "h264" else "h265parse"
    line = f"filesrc location={path} ! qtdemux ! {parser} ! fakesink silent=false sync=false"
    done = subprocess.run(
        ["gst-launch-1.0", "-v", *line.split()], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.count("chain   ***") == 100
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("b_frames", [0, 3])
def test_chromium_plays_it_by_media_source_through_a_change_of_size(b_frames: int) -> None:
    small = units(encoded(2, b_frames=b_frames))
    large = units(encoded(2, b_frames=b_frames, size=(640, 384)))
    last = max(unit.pts_ticks for unit in small) + 3600
    shift = last - min(unit.pts_ticks for unit in large)
    for unit in large:
        unit.pts_ticks += shift
    made = segments([*small, *large])
    assert len(made) == 2
    played = _play(made)
    assert played["error"] is None
    assert played["buffered"][0][0] == pytest.approx(0, abs=0.05)
    assert played["buffered"][-1][1] == pytest.approx(4, abs=0.2)
    assert played["sizes"] == [[320, 192], [640, 384]]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_chromium_plays_pictures_and_sound_by_media_source() -> None:
    config, frames = aac(8.0)
    tone = (sound_format(config), frames)
    made = with_tone(fragments_of(6.0, 2), tone)
    played = _play(made)
    assert played["error"] is None
    assert played["buffered"][0][0] == pytest.approx(0, abs=0.05)
    assert played["buffered"][-1][1] == pytest.approx(6, abs=0.2)


_PAGE = """
async (parts) => {
  const video = document.createElement("video");
  const source = new MediaSource();
  video.muted = true;
  video.src = URL.createObjectURL(source);
  document.body.append(video);
  await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
  const sizes = [];
  video.addEventListener("resize", () => sizes.push([video.videoWidth, video.videoHeight]));
  let buffer = null, at = 0;
  try {
    for (const [mime, data] of parts) {
      const type = `video/mp4; codecs="${mime}"`;
      if (buffer === null) buffer = source.addSourceBuffer(type); else buffer.changeType(type);
      buffer.timestampOffset = at;
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      buffer.appendBuffer(bytes);
      await new Promise((done, fail) => {
        buffer.addEventListener("updateend", done, { once: true });
        buffer.addEventListener("error", () => fail(new Error("append")), { once: true });
      });
      at = buffer.buffered.end(buffer.buffered.length - 1);
    }
    source.endOfStream();
    await video.play();
    await new Promise((done, fail) => {
      video.addEventListener("ended", done, { once: true });
      video.addEventListener("error", () => fail(video.error), { once: true });
      setTimeout(() => fail(new Error("it does not end: " + video.currentTime)), 15000);
    });
  } catch (error) { return { error: String(error.message || error), buffered: [], sizes }; }
  const buffered = [];
  for (let i = 0; i < video.buffered.length; i += 1) buffered.push([video.buffered.start(i), video.buffered.end(i)]);
  return { error: null, buffered, sizes };
}
"""


def _play(parts: list[tuple[str, bytes]]) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            wanted = [[mime, base64.b64encode(data).decode()] for mime, data in parts]
            result: dict[str, Any] = page.evaluate(_PAGE, wanted)
        finally:
            browser.close()
    return result
