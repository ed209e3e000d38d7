"""The profiles of real cameras by WebRTC in Debian's Chromium: shown as they are, with the profile that it offers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.browser.chromium import CHROMIUM, MARKS, chromium
from tests.support.cameras import video
from tests.unit.live.test_looks import first, rig

pytestmark = [*MARKS, pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed")]
_OFFER: Final = """async () => {
  window.connection = new RTCPeerConnection();
  connection.addTransceiver('video', { direction: 'recvonly' });
  await connection.setLocalDescription(await connection.createOffer());
  return connection.localDescription.sdp;
}"""
_SHOWN: Final = """async (sdp) => {
  await connection.setRemoteDescription({ type: 'answer', sdp });
  const video = Object.assign(document.createElement('video'), { muted: true });
  video.srcObject = new MediaStream([connection.getReceivers()[0].track]);
  document.body.append(video);
  video.play();
  let pictures = 0;
  await new Promise((done) => {
    const count = () => (++pictures < 30 ? video.requestVideoFrameCallback(count) : done());
    video.requestVideoFrameCallback(count);
    setTimeout(done, 8000);
  });
  return [pictures, video.videoWidth];
}"""


@pytest.mark.parametrize(("preset", "profile"), [("ultrafast", "42c0"), ("veryfast", "f4001f")])
async def test_each_profile_is_shown(tmp_path: Path, preset: str, profile: str) -> None:
    async with rig(tmp_path, preset=preset) as made, chromium() as browser:
        page = await browser.new_page()
        async with made.look(await page.evaluate(_OFFER)) as heard:
            told = await first(heard)
            assert f"profile-level-id={profile}" in told.get("answer", ""), told
            assert await page.evaluate(_SHOWN, told["answer"]) == [30, 320]


async def test_h265_is_shown_once_it_is_converted(tmp_path: Path) -> None:
    """Debian's Chromium has no H.265."""
    film = video.units(video.encoded(4.0, codec="libx265"), codec="hevc")
    async with rig(tmp_path, film=film) as made, chromium() as browser:
        page = await browser.new_page()
        async with made.look(await page.evaluate(_OFFER), convert=True) as heard:
            assert await first(heard) == {"converted": "h265"}
            async with asyncio.timeout(40):
                told = await heard.get()
            assert await page.evaluate(_SHOWN, told["answer"]) == [30, 320]
