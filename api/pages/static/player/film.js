// Pictures along the timeline, evenly spaced at the present zoom. Each is a look on record: they come when they are asked for,
// few at a time, when the view has come to rest, and none twice as long as it stays in sight.

import { byId, el } from "../dom.js";
import { iso, purpose } from "../server.js";
import { slots } from "./slots.js";

const REST_MS = 600;
const AT_ONCE = 2;
const KEPT = "tallenne-film";

/** Whether it was on show last, in this browser. */
function kept() {
  try {
    return localStorage.getItem(KEPT) === "on";
  } catch {
    return false; // a browser that keeps nothing
  }
}

function keep(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // it is off again the next time
  }
}

export class Film {
  #shown = new Map(); // by camera and time: the place of its picture
  #waiting = []; // places whose pictures are still to be asked for
  #loading = 0;
  #timer = 0;

  /** timeline: whose view it follows. tiles: the cameras on show. seek(time): by a press on a picture. */
  constructor({ timeline, tiles, seek }) {
    this.timeline = timeline;
    this.tiles = tiles;
    this.seek = seek;
    this.element = byId("film");
    this.button = byId("film-switch");
    this.button.addEventListener("click", () => this.turn(this.button.ariaPressed !== "true"));
    timeline.addEventListener("view", () => this.changed());
    timeline.addEventListener("seek", ({ detail }) => detail.rests || this.#rest());
    new ResizeObserver(() => this.changed()).observe(timeline.element);
    this.turn(kept());
  }

  turn(on) {
    this.button.ariaPressed = String(on);
    keep(on);
    byId("player").classList.toggle("with-film", on);
    this.changed();
  }

  /** The view, the cameras or what is known of them. */
  changed() {
    const { view } = this.timeline;
    const camera = this.tiles.find((tile) => tile.element.classList.contains("large")) ?? this.tiles[0];
    const width = this.element.checkVisibility() ? this.element.clientWidth : 0; // none on a phone, and none while it is off
    const wanted = width && camera ? slots(view, width, camera.footage) : [];
    const keys = new Map(wanted.map((time) => [`${camera.cameraId} ${time}`, time]));
    for (const [key, place] of this.#shown) if (!keys.has(key)) this.#drop(key, place);
    for (const [key, time] of keys) {
      if (!this.#shown.has(key)) this.#add(key, camera.cameraId, time);
      this.#shown.get(key).style.left = `${(100 * (time - view.start)) / (view.end - view.start)}%`;
    }
    this.#rest();
  }

  /** Nothing is asked for until the view has rested. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), REST_MS);
  }

  #add(key, cameraId, time) {
    const query = new URLSearchParams({ at: iso(time), purpose });
    const place = el("span", { data: { at: String(time), source: `/v1/cameras/${cameraId}/thumbnail.jpg?${query}` }, onclick: () => this.seek(time) });
    this.#shown.set(key, place);
    this.#waiting.push(place);
    this.element.append(place);
  }

  #drop(key, place) {
    this.#shown.delete(key);
    this.#waiting = this.#waiting.filter((each) => each !== place);
    place.querySelector("img")?.removeAttribute("src");
    place.remove();
  }

  #load() {
    if (this.timeline.dragging || document.hidden) return this.#rest();
    while (this.#loading < AT_ONCE && this.#waiting.length) {
      this.#loading += 1;
      this.#picture(this.#waiting.shift());
    }
    return undefined;
  }

  /** One picture; where there is none, its place stays empty. The next one follows. */
  #picture(place) {
    let ended = false;
    const over = () => {
      if (ended) return;
      ended = true;
      this.#loading -= 1;
      if (!this.timeline.dragging) this.#load();
    };
    const image = el("img", { alt: "", onload: () => place.classList.add("shown") || over(), onerror: () => image.remove() || over() });
    image.src = place.dataset.source;
    place.append(image);
  }
}
