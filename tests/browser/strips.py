"""What a player shows, read back from its pictures: the strip that the demo's cameras draw, by way of a canvas."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import numpy as np
from playwright.async_api import Page

from demo.video import strip

# One look at everything at once: the player's time, and of every camera the top of its picture in grey.
_READ: Final = """() => {
  const read = (tile) => {
    const video = tile.querySelector('video');
    const canvas = document.createElement('canvas');
    const [width, height] = [video.videoWidth, Math.ceil(video.videoWidth / 20)];
    if (!width) return { camera: tile.dataset.camera, state: tile.dataset.state, width: 0, grey: '' };
    canvas.width = width;
    canvas.height = height;
    const paint = canvas.getContext('2d', { willReadFrequently: true });
    paint.drawImage(video, 0, 0);
    const colours = paint.getImageData(0, 0, width, height).data;
    let grey = '';
    for (let at = 1; at < colours.length; at += 4) grey += String.fromCharCode(colours[at]);
    return {
      camera: tile.dataset.camera, state: tile.dataset.state, width, grey: btoa(grey),
      current: video.currentTime, start: Number(tile.dataset.clipStart), paused: video.paused,
    };
  };
  const tiles = [...document.querySelectorAll('.tile')].map(read);
  return { time: Number(document.getElementById('player').dataset.timeMs), tiles };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One camera's picture at one moment."""

    camera: str
    state: str  # of the tile
    strip_ms: int | None  # when the picture was made, as it says itself
    current_s: float  # of the video element
    expected_ms: float  # clip start + currentTime
    paused: bool


async def read_player(page: Page) -> tuple[int, list[Shown]]:
    """The player's time in ms, and what every camera shows."""
    found = await page.evaluate(_READ)
    return found["time"], [_shown(tile) for tile in found["tiles"]]


def _shown(tile: dict[str, object]) -> Shown:
    width = int(str(tile["width"]))
    if not width:
        return Shown(
            camera=str(tile["camera"]), state=str(tile["state"]), strip_ms=None, current_s=0, expected_ms=0, paused=True
        )
    grey = np.frombuffer(base64.b64decode(str(tile["grey"])), np.uint8).reshape(-1, width)
    found = strip.read(grey)
    current_s = float(str(tile["current"]))
    return Shown(
        camera=str(tile["camera"]),
        state=str(tile["state"]),
        strip_ms=None if found is None else found[0],
        current_s=current_s,
        expected_ms=float(str(tile["start"])) + current_s * 1000,
        paused=bool(tile["paused"]),
    )


# Kept of every turn of the page: what each camera lets be seen, and for which time.
_WITNESS: Final = """() => {
  const canvas = document.createElement('canvas');
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  const root = document.getElementById('player');
  window.witnessed = [];
  const look = () => {
    document.querySelectorAll('.tile').forEach((tile, number) => {
      const video = tile.querySelector('video');
      const seen = tile.querySelector('.veil').hidden && video.videoWidth > 0;
      const clock = document.getElementById('clock').firstChild.textContent;
      const turn = { number, wanted: Number(root.dataset.timeMs), state: tile.dataset.state, seen, clock };
      if (seen) {
        const [width, height] = [video.videoWidth, Math.ceil(video.videoWidth / 20)];
        Object.assign(canvas, { width, height });
        paint.drawImage(video, 0, 0);
        const colours = paint.getImageData(0, 0, width, height).data;
        let grey = '';
        for (let at = 1; at < colours.length; at += 4) grey += String.fromCharCode(colours[at]);
        Object.assign(turn, { width, grey: btoa(grey) });
      }
      window.witnessed.push(turn);
    });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one camera let be seen at one turn of the page."""

    number: int
    wanted_ms: int
    state: str
    seen: bool
    strip_ms: int | None
    clock: str


async def watch(page: Page) -> None:
    """From now on, every turn is kept."""
    await page.evaluate(_WITNESS)


async def watched(page: Page) -> list[Turn]:
    """The turns since the last time."""
    found = await page.evaluate("() => window.witnessed.splice(0)")
    return [
        Turn(
            number=turn["number"],
            wanted_ms=turn["wanted"],
            state=turn["state"],
            seen=turn["seen"],
            strip_ms=_strip(turn["grey"], turn["width"]) if turn["seen"] else None,
            clock=turn["clock"],
        )
        for turn in found
    ]


def _strip(grey: str, width: int) -> int | None:
    found = strip.read(np.frombuffer(base64.b64decode(grey), np.uint8).reshape(-1, width))
    return None if found is None else found[0]
