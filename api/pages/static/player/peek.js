// A picture of the time that is pointed at on the timeline. Each is a look on record, so that it waits for a rest.

import { el } from "../dom.js";
import { purpose, iso } from "../server.js";
import { clock } from "../time.js";

const REST_MS = 250;
const PARTS = 60; // so many different pictures at most in a view
const HALF_PX = 90;

export class Peek {
  constructor(element, zone) {
    this.element = element;
    this.zone = zone;
    this.asked = "";
    this.timer = 0;
    this.image = el("img", { alt: "", width: 160, height: 90, hidden: true });
    this.image.addEventListener("load", () => (this.image.hidden = false));
    this.text = el("span");
    element.append(this.image, this.text);
  }

  /** at: {x, width, row, time, text}, or null when nothing is pointed at. */
  show(at, tiles, view) {
    this.element.hidden = !at;
    clearTimeout(this.timer);
    if (!at) return;
    this.element.style.left = `${Math.max(HALF_PX, Math.min(at.width - HALF_PX, at.x))}px`;
    this.text.textContent = at.text ?? clock(at.time, this.zone());
    const camera = pictured(tiles, at);
    const step = Math.max(1000, (view.end - view.start) / PARTS);
    const time = at.text ? at.time : Math.floor(at.time / step) * step + step / 2;
    const wanted = camera && held(camera, time) ? `/v1/cameras/${camera.cameraId}/thumbnail.jpg?${new URLSearchParams({ at: iso(time), purpose })}` : "";
    if (wanted === this.asked && wanted) return;
    this.image.hidden = true; // never an old picture beside a new time
    this.asked = "";
    if (wanted) this.timer = setTimeout(() => (this.image.src = this.asked = wanted), REST_MS);
  }
}

const held = (camera, time) => camera.footage.some((span) => span.start <= time && time < span.end);

/** The camera whose row is pointed at, else the first with footage of the time. */
const pictured = (tiles, { row, time }) => tiles[row] ?? tiles.find((tile) => held(tile, time));
