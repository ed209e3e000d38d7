// The timeline: a row per camera with footage and hatched gaps, the doors' events, the time. Drag to scrub.

import { clock, clockMinutes, clockMs, shortDay } from "../time.js";
import { t } from "../words.js";

// Grows with the page's text: on a wall everything is larger.
const SCALE = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
const ROW = Math.round(22 * SCALE);
const EVENTS = Math.round(24 * SCALE);
const AXIS = Math.round(22 * SCALE);
const TEXT = Math.round(12 * SCALE);
const MARK = 5 * SCALE;
const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const SHORTEST_MS = 1000;
const LONGEST_MS = 24 * 3600_000;
const BAD = ["denied", "forced_open", "held_open"];

/** A time on the axis, as fine as its steps. */
function tick(at, step, zone) {
  if (step >= 86400_000) return shortDay(at, zone);
  if (step >= 60_000) return clockMinutes(at, zone);
  return step >= 1000 ? clock(at, zone) : clockMs(at, zone).slice(0, 10);
}

export class Timeline extends EventTarget {
  /** Fires "seek" with {time, rests}, false while one drags, "view" after the span on show has changed, and "point" with
   * what a mouse points at: {x, width, row, time, text}, or null. */
  constructor(element, zone) {
    super();
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.zone = zone;
    this.rows = [];
    this.events = [];
    this.mark = null;
    this.time = 0;
    this.view = { start: 0, end: 1 };
    this.dirty = true;
    this.#listen();
    new ResizeObserver(() => (this.dirty = true)).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.dirty = true));
  }

  setRows(rows, events) {
    this.rows = rows;
    this.events = events;
    this.element.style.height = `${AXIS + EVENTS + Math.max(1, rows.length) * ROW + 6}px`;
    this.dirty = true;
  }

  setView(start, end) {
    this.view = { start, end };
    this.dirty = true;
    this.dispatchEvent(new Event("view"));
  }

  setTime(time, playing) {
    if (Math.abs(time - this.time) < 1) return;
    this.time = time;
    this.dirty = true;
    const { start, end } = this.view;
    if (playing && (time > end || time < start) && !this.dragging) {
      const length = end - start;
      this.setView(time - length * 0.1, time + length * 0.9);
    }
  }

  zoom(factor, around = this.time) {
    const { start, end } = this.view;
    const length = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (end - start) * factor));
    const share = Math.min(1, Math.max(0, (around - start) / (end - start)));
    this.setView(around - length * share, around + length * (1 - share));
  }

  draw() {
    if (!this.dirty) return;
    this.dirty = false;
    const { width, height } = this.element.getBoundingClientRect();
    const dense = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dense);
    this.canvas.height = Math.round(height * dense);
    const paint = this.canvas.getContext("2d");
    paint.scale(dense, dense);
    const style = getComputedStyle(this.element);
    this.colours = Object.fromEntries(
      ["footage", "gap", "gap-line", "playhead", "event", "event-bad", "bookmark", "axis", "line", "text", "sunken", "tint", "card"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this.font = style.fontFamily;
    this.width = width;
    this.#axis(paint);
    this.#events(paint);
    this.rows.forEach((row, number) => this.#row(paint, row, AXIS + EVENTS + number * ROW));
    this.#playhead(paint, height);
    this.#say();
  }

  #x(time) {
    return ((time - this.view.start) / (this.view.end - this.view.start)) * this.width;
  }

  #timeAt(x) {
    return this.view.start + (x / this.width) * (this.view.end - this.view.start);
  }

  #axis(paint) {
    const { start, end } = this.view;
    const least = ((end - start) / this.width) * 80 * SCALE;
    const step = (STEPS_S.find((each) => each * 1000 >= least) ?? 86400) * 1000;
    paint.font = `${TEXT}px ${this.font}`;
    paint.textBaseline = "middle";
    for (let at = Math.ceil(start / step) * step; at <= end; at += step) {
      const x = this.#x(at);
      paint.fillStyle = this.colours.line;
      paint.fillRect(Math.round(x), AXIS - 4, 1, 4 + EVENTS + this.rows.length * ROW);
      const text = tick(at, step, this.zone);
      const half = paint.measureText(text).width / 2;
      if (x < half || x > this.width - half) continue;
      paint.fillStyle = this.colours.axis;
      paint.fillText(text, x - half, AXIS / 2);
    }
  }

  #events(paint) {
    const middle = AXIS + EVENTS / 2;
    if (this.mark) {
      paint.fillStyle = this.colours.tint;
      const [from, to] = [this.#x(this.mark.start), this.#x(this.mark.end)];
      paint.fillRect(from, AXIS, Math.max(2, to - from), EVENTS + this.rows.length * ROW);
    }
    for (const event of this.events) {
      const x = this.#x(event.time);
      if (x < -8 || x > this.width + 8) continue;
      const bad = BAD.includes(event.kind);
      paint.fillStyle = paint.strokeStyle = bad ? this.colours["event-bad"] : this.colours.event;
      paint.lineWidth = 2;
      paint.beginPath();
      // Shapes as well as colours: a cross refused, a ring left, a disc let in; a flag is what staff noted.
      if (event.kind === "bookmark") this.#flag(paint, x, middle);
      else if (bad) {
        paint.moveTo(x - MARK, middle - MARK);
        paint.lineTo(x + MARK, middle + MARK);
        paint.moveTo(x + MARK, middle - MARK);
        paint.lineTo(x - MARK, middle + MARK);
        paint.stroke();
      } else {
        paint.arc(x, middle, MARK, 0, 2 * Math.PI);
        if (event.kind === "exit" || event.direction === "out") paint.stroke();
        else paint.fill();
      }
    }
  }

  #flag(paint, x, middle) {
    paint.fillStyle = this.colours.bookmark;
    paint.fillRect(x - 1, middle - 2 * MARK, 2, EVENTS + this.rows.length * ROW);
    paint.moveTo(x, middle - 2 * MARK);
    paint.lineTo(x + 2 * MARK, middle - 1.2 * MARK);
    paint.lineTo(x, middle - 0.4 * MARK);
    paint.fill();
  }

  #row(paint, row, top) {
    const height = ROW - 6;
    paint.fillStyle = this.colours.sunken;
    paint.fillRect(0, top, this.width, height);
    paint.font = `600 ${TEXT}px ${this.font}`;
    const text = row.name.length > 28 ? `${row.name.slice(0, 27)}…` : row.name;
    const taken = paint.measureText(text).width + 14;
    for (const gap of row.gaps) this.#hatched(paint, gap, top, height, taken);
    paint.fillStyle = this.colours.footage;
    for (const span of row.footage) {
      const [from, to] = [Math.max(0, this.#x(span.start)), Math.min(this.width, this.#x(span.end))];
      if (to > from) paint.fillRect(from, top, Math.max(1, to - from), height);
    }
    paint.font = `600 ${TEXT}px ${this.font}`;
    paint.fillStyle = this.colours.card;
    paint.fillRect(4, top + 1, taken - 4, height - 2);
    paint.fillStyle = this.colours.text;
    paint.fillText(text, 9, top + height / 2 + 0.5);
  }

  #hatched(paint, gap, top, height, taken) {
    const [from, to] = [Math.max(0, this.#x(gap.start)), Math.min(this.width, this.#x(gap.end))];
    if (to <= from) return;
    const wide = Math.max(2, to - from);
    paint.save();
    paint.beginPath();
    paint.rect(from, top, wide, height);
    paint.clip();
    paint.fillStyle = this.colours.gap;
    paint.fillRect(from, top, wide, height);
    paint.strokeStyle = this.colours["gap-line"];
    paint.lineWidth = 1.5;
    paint.beginPath();
    for (let x = Math.floor((from - height) / 8) * 8; x < to; x += 8) {
      paint.moveTo(x, top + height);
      paint.lineTo(x + height, top);
    }
    paint.stroke();
    paint.font = `${TEXT}px ${this.font}`;
    const text = t(`gap.${gap.cause}`);
    const room = paint.measureText(text).width + 12;
    // Not under the camera's name.
    const left = Math.max(from, taken);
    if (to - left > room + 8) {
      const x = left + (to - left - room) / 2;
      paint.fillStyle = this.colours.card;
      paint.fillRect(x, top + 1, room, height - 2);
      paint.fillStyle = this.colours.text;
      paint.fillText(text, x + 6, top + height / 2 + 0.5);
    }
    paint.restore();
  }

  #playhead(paint, height) {
    const x = this.#x(this.time);
    paint.fillStyle = this.colours.playhead;
    paint.fillRect(Math.round(x) - 1, AXIS - 6, 2, height - AXIS + 4);
    paint.beginPath();
    paint.moveTo(x - 6, AXIS - 10);
    paint.lineTo(x + 6, AXIS - 10);
    paint.lineTo(x, AXIS - 2);
    paint.fill();
  }

  /** For those who do not see it: at most once a second. */
  #say() {
    const second = Math.floor(this.time / 1000);
    if (this.said === second) return;
    this.said = second;
    const { element } = this;
    element.setAttribute("aria-valuemin", Math.floor(this.view.start / 1000));
    element.setAttribute("aria-valuemax", Math.ceil(this.view.end / 1000));
    element.setAttribute("aria-valuenow", second);
    element.setAttribute("aria-valuetext", `${shortDay(this.time, this.zone)} ${clock(this.time, this.zone)}`);
  }

  #seek(time, rests) {
    this.sought = time;
    this.dispatchEvent(new CustomEvent("seek", { detail: { time, rests } }));
  }

  #listen() {
    const { element } = this;
    const place = (event) => event.clientX - element.getBoundingClientRect().left;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.#seek(this.#nearEvent(place(event)) ?? this.#timeAt(place(event)), true);
    });
    element.addEventListener("pointermove", (event) => {
      if (this.dragging) this.#seek(this.#timeAt(Math.max(0, Math.min(this.width, place(event)))), false);
      if (event.pointerType === "mouse") this.#point(this.dragging ? null : this.#pointed(place(event), event.clientY));
    });
    element.addEventListener("pointerleave", () => this.#point(null));
    const stop = () => {
      if (this.dragging) this.#seek(this.sought, true);
      this.dragging = false;
    };
    element.addEventListener("pointerup", stop);
    element.addEventListener("pointercancel", stop);
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          const shift = ((event.deltaX || event.deltaY) / this.width) * (this.view.end - this.view.start);
          this.setView(this.view.start + shift, this.view.end + shift);
        } else this.zoom(Math.exp(event.deltaY / 400), this.#timeAt(place(event)));
      },
      { passive: false },
    );
  }

  /** A click near an event means the event. */
  #nearEvent(x) {
    const near = this.events.filter((event) => Math.abs(this.#x(event.time) - x) < 7);
    near.sort((one, other) => Math.abs(this.#x(one.time) - x) - Math.abs(this.#x(other.time) - x));
    return near.length ? near[0].time : null;
  }

  /** The event or time under the mouse, and the row of a camera, undefined beside the rows. */
  #pointed(x, clientY) {
    const near = this.#nearEvent(x);
    const event = near === null ? null : this.events.find((each) => each.time === near);
    const row = Math.floor((clientY - this.element.getBoundingClientRect().top - AXIS - EVENTS) / ROW);
    return { x, width: this.width, row: this.rows[row] && row, time: near ?? this.#timeAt(x), text: event?.text };
  }

  #point(detail) {
    this.dispatchEvent(new CustomEvent("point", { detail }));
  }
}
