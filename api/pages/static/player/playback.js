// Several cameras in step under one time: played, stepped and sought. For the player, and for the preview of an export.

import { byId, el, icon } from "../dom.js";
import { shortcuts } from "../shortcuts.js";
import { clockMs, shortDay } from "../time.js";
import { t } from "../words.js";
import { Clock } from "./clock.js";
import { columns } from "./grid.js";
import { stands } from "./state.js";

const SCRUB_MS = 150; // while one drags, a picture that is nearly here is waited for so long
const SNAP_MS = 500;
const STEP_MS = 40; // where no picture is known
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

export class Playback {
  #root = byId("player");
  #place = byId("tiles");
  #timeline;
  #zone;
  #within;
  #turn;
  #seeks;
  #keys;
  #dragTo = null; // a time that was dragged to and is not sought yet
  #sought = 0; // when something was sought last, by the browser's own clock
  #last = -Infinity; // the time of the last turn
  #told = "";

  /**
   * time: to begin with. zone(): of the cameras. within: {start, end}, the only times that are shown; null: all.
   * turn(now): called at each turn. seeks(time): after each. keys: what other keys do.
   */
  constructor({ time, timeline, zone, within = null, turn = () => {}, seeks = () => {}, keys = {} }) {
    this.clock = new Clock(time);
    this.tiles = [];
    this.#timeline = timeline;
    this.#zone = zone;
    this.#within = within;
    this.#turn = turn;
    this.#seeks = seeks;
    this.#keys = { ...this.#ownKeys(), ...keys };
    timeline.addEventListener("seek", ({ detail }) => (detail.rests ? this.seek(detail.time) : (this.#dragTo = detail.time)));
    new ResizeObserver(() => this.arrange()).observe(this.#place);
    byId("play").addEventListener("click", () => this.setPlaying(!this.clock.playing));
    byId("back-frame").addEventListener("click", () => this.step(-1));
    byId("next-frame").addEventListener("click", () => this.step(1));
    byId("speed").addEventListener("change", (event) => this.clock.setRate(Number(event.target.value)));
    byId("full-screen").addEventListener("click", fullScreen);
    byId("clock").addEventListener("wheel", (event) => this.#jog(event), { passive: false });
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("visibilitychange", () => document.hidden && this.clock.playing && this.setPlaying(false));
  }

  add(tile) {
    this.tiles.push(tile);
    this.#place.append(tile.element);
    this.arrange();
  }

  remove(tile) {
    this.tiles.splice(this.tiles.indexOf(tile), 1);
    if (tile.element.classList.contains("large")) this.#place.classList.remove("solo");
    tile.close();
    this.arrange();
  }

  /** From now on, turn after turn; playing, unless the person asked for less motion. */
  start() {
    if (this.tiles.length && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.setPlaying(true);
    requestAnimationFrame(() => this.#tick());
  }

  seek(time) {
    const { start, end } = this.#within ?? { start: -Infinity, end: Infinity };
    const at = Math.max(start, Math.min(end - 1, time));
    this.clock.seek(at);
    this.#last = at;
    this.#dragTo = null;
    this.#sought = performance.now();
    const view = this.#timeline.view;
    if (at < view.start || at > view.end) this.#timeline.setView(at - (view.end - view.start) / 2, at + (view.end - view.start) / 2);
    this.#seeks(at);
  }

  /** stays: paused, the time becomes that of the picture that is seen. */
  setPlaying(playing, stays = !playing) {
    const { clock } = this;
    if (playing && this.#within && clock.now() >= this.#within.end - 1) this.seek(this.#within.start);
    clock.play(playing);
    const shown = this.tiles.find((tile) => tile.shownTime !== null)?.shownTime;
    if (stays && shown !== undefined && Math.abs(shown - clock.now()) < SNAP_MS) clock.seek((this.#last = shown)); // what is seen stays
    const button = byId("play");
    button.replaceChildren(icon(playing ? "pause" : "play"));
    button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
    button.title = `${t(playing ? "player.pause" : "player.play")} (␣)`;
    this.#root.dataset.playing = playing ? "yes" : "";
  }

  step(direction) {
    this.setPlaying(false);
    const now = this.clock.now();
    const first = this.tiles.find((tile) => tile.shownTime !== null);
    this.seek(first?.beside(now, direction) ?? now + direction * STEP_MS);
  }

  /** The wheel over the clock: a picture each notch, with Shift a second. */
  #jog(event) {
    event.preventDefault();
    const direction = Math.sign(event.deltaY || event.deltaX);
    if (!direction || !this.tiles.length) return;
    if (!event.shiftKey) return this.step(direction);
    this.setPlaying(false);
    this.seek(this.clock.now() + direction * 1000);
  }

  /** The enlarged camera's picture, else everyone's. direction: 1 larger, -1 smaller, 0 whole. */
  magnify(direction) {
    const large = this.tiles.filter((tile) => tile.element.classList.contains("large"));
    for (const { magnifier } of large.length ? large : this.tiles) direction ? magnifier.step(direction) : magnifier.reset();
  }

  speed(direction) {
    const at = SPEEDS.indexOf(this.clock.rate);
    const rate = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + direction))];
    this.clock.setRate(rate);
    byId("speed").value = String(rate);
  }

  enlarge(tile) {
    const solo = this.#place.classList.toggle("solo", !tile.element.classList.contains("large"));
    for (const each of this.tiles) each.element.classList.toggle("large", solo && each === tile);
    this.arrange();
  }

  /** As many columns as make the pictures largest. */
  arrange() {
    const place = this.#place;
    const count = this.tiles.length;
    place.style.setProperty("--columns", place.classList.contains("solo") ? Math.max(1, count - 1) : columns(count, place.clientWidth, place.clientHeight));
  }

  #tick() {
    const { clock, tiles } = this;
    if (this.#dragTo !== null && (tiles.every((tile) => !tile.state.waits) || performance.now() - this.#sought > SCRUB_MS)) this.seek(this.#dragTo);
    const now = this.#now();
    for (const tile of tiles) tile.sync(now, clock.playing ? clock.rate : 0, clock.moves);
    clock.hold(clock.playing && stands(tiles, performance.now()));
    this.#timeline.setTime(now, clock.playing);
    this.#timeline.draw();
    this.#tell(now);
    this.#turn(now);
    requestAnimationFrame(() => this.#tick());
  }

  /** The time goes no further than there are pictures of those cameras that are waited for. */
  #now() {
    const { clock } = this;
    const now = clock.now();
    const end = this.#within ? this.#within.end - 1 : Infinity;
    const limit = Math.min(end, clock.moves ? Math.max(this.#last, Math.min(...this.tiles.map((tile) => tile.limit(now)))) : now);
    if (now > limit) clock.seek(limit);
    if (clock.playing && now >= end) this.setPlaying(false, false); // at the end, from which playing begins anew
    this.#last = Math.min(now, limit);
    return this.#last;
  }

  #tell(now) {
    this.#root.dataset.timeMs = String(Math.round(now));
    const shown = Math.max(...this.tiles.map((tile) => tile.shownTime ?? -Infinity));
    const text = Number.isFinite(shown) ? clockMs(shown, this.#zone()).slice(0, 10) : "—";
    if (text !== this.#told) byId("clock").replaceChildren(text, el("small", {}, shortDay(now, this.#zone())));
    this.#told = text;
  }

  #ownKeys() {
    return {
      " ": () => this.setPlaying(!this.clock.playing),
      k: () => this.setPlaying(!this.clock.playing),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      ArrowLeft: () => this.seek(this.clock.now() - 5000),
      ArrowRight: () => this.seek(this.clock.now() + 5000),
      "+": () => this.speed(1),
      "-": () => this.speed(-1),
      z: () => this.magnify(1),
      x: () => this.magnify(-1),
      0: () => this.magnify(0),
      f: fullScreen,
    };
  }

  #pressed(event) {
    if (this.#root.dataset.state !== "ready" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key.length === 1 && event.key !== " " && !shortcuts()) return;
    if (event.target.matches("input, select, textarea") || (event.key === " " && event.target.matches("button, a, summary"))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = (event.shiftKey && this.#keys[`Shift+${key}`]) || this.#keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen?.();
}
