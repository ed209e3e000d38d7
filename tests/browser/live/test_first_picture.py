"""How long a person waits for the first picture after a press on the live page, and for what."""

from __future__ import annotations

import json
import os
import statistics
from typing import Any, Final

import pytest
from playwright.async_api import Page

from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.long]
PRESSES: Final = int(os.environ.get("LIVE_PRESSES", "5"))
NO_UDP: Final = "delete window.RTCPeerConnection; delete window.RTCRtpReceiver;"

# When each stage was reached, in ms since the last press.
STAGES: Final = """(() => {
  let began = 0;
  window.stages = {};
  addEventListener('click', () => { began = performance.now(); window.stages = {}; }, true);
  const reach = (name) => (window.stages[name] ??= performance.now() - began);
  const fetched = window.fetch;
  window.fetch = async (what, how) => {
    const live = String(what).endsWith('/v1/live');
    if (live) reach('asked');
    const answer = await fetched(what, how);
    if (live) reach('answered');
    return answer;
  };
  if (window.RTCPeerConnection) {
    const taken = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (it) {
      reach('sdp');
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && reach('connected'));
      return taken.call(this, it);
    };
  }
  if (window.MediaSource) {
    const added = MediaSource.prototype.addSourceBuffer;
    MediaSource.prototype.addSourceBuffer = function (mime) { reach('sdp'); return added.call(this, mime); };
    const appended = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function (it) { reach('connected'); return appended.call(this, it); };
  }
  new MutationObserver(() => document.querySelector('.tile[data-state=playing]') && reach('picture'))
    .observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });
})()"""


async def pressed(page: Page, what: str, count: int) -> dict[str, float]:
    """Press "only this camera" or "all cameras", so that so many are shown; the stages until the first picture."""
    await page.click(what)
    await page.wait_for_selector(".tile:only-child" if count == 1 else ".tile:nth-child(2)")
    await page.wait_for_selector(".tile[data-state=playing]", timeout=20_000)
    found: Any = await page.evaluate("window.stages")
    return {name: float(ms) for name, ms in found.items()}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@pytest.mark.parametrize("way", ["WebRTC", "HTTPS"])
async def test_the_first_picture_comes_soon_after_the_press(desk: Desk, way: str) -> None:
    page = await desk.page()
    await page.add_init_script(STAGES)
    if way == "HTTPS":
        await page.add_init_script(NO_UDP)
    found, ways = [], set()
    await page.goto(f"{desk.address}/live")
    await page.wait_for_selector(".tile[data-state=playing]", timeout=20_000)
    for number in range(PRESSES):
        found.append(await pressed(page, *((".tile:first-child .enlarge", 1) if number % 2 == 0 else ("#all", 2))))
        print({name: round(ms) for name, ms in found[-1].items()}, flush=True)
        ways.add(await page.inner_text(".tile[data-state=playing] .note"))
    assert way in ways
    said: dict[str, Any] = {"way": way, "presses": len(found), "load": [round(one, 1) for one in os.getloadavg()]}
    for name in ("asked", "answered", "sdp", "connected", "picture"):
        values = [one[name] for one in found if name in one]
        said[name] = {"median_ms": round(statistics.median(values)), "p95_ms": round(percentile(values, 0.95))}
    print(json.dumps(said))
    assert statistics.median([one["picture"] for one in found]) < 1000
    await page.context.close()
