// What is known of the cameras' time: footage, gaps and events around the view, asked for as one looks elsewhere.

import { get, iso } from "../server.js";

const REST_MS = 400; // timelines are searches, each on record: asked for when the view has come to rest, in generous pieces
const AGAIN_MS = [5000, 10_000, 20_000, 40_000, 80_000, 160_000]; // for what is on its way; then no more until somebody acts
const EVERYTHING = { start: -Infinity, end: Infinity };

export const span = ({ start, end, ...rest }) => ({ ...rest, start: Date.parse(start), end: Date.parse(end) });

/** By tile. Each is a search on record. */
const answersOf = async (tiles, wanted) => new Map(await Promise.all(tiles.map(async (tile) => [tile, await get(`/v1/cameras/${tile.cameraId}/timeline`, wanted)])));

export class Known extends EventTarget {
  #tiles;
  #view;
  #resting = 0;
  #asked = 0;
  #loading = false;
  #loaded = { start: 0, end: 0 };
  #answers = new Map(); // of each camera, about the loaded span
  #again = 0; // how often the same was asked for
  #againAt = 0;

  /** Fires "change" after an answer and "problem" with {error}. view(): {start, end, time} of what is looked at. */
  constructor(tiles, view) {
    super();
    this.#tiles = tiles;
    this.#view = view;
    this.zone = null;
    this.events = [];
    this.bookmarks = []; // of the loaded span, by time
    this.whole = EVERYTHING; // of which all events are here; a busy week has too many
  }

  isWhole(time) {
    return this.whole.start <= time && time <= this.whole.end;
  }

  get isCut() {
    return Number.isFinite(this.whole.start) || Number.isFinite(this.whole.end);
  }

  /** The view or the time has changed. */
  moved() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#resting = 0;
      const { start, end, time } = this.#view();
      if (start < this.#loaded.start || end > this.#loaded.end || !this.isWhole(time)) this.#ask();
    }, REST_MS);
  }

  /** To be called again and again. Footage that is on its way is asked for again, less and less often. */
  check(time, pending) {
    if (this.#resting || this.#loading) return;
    if (!this.isWhole(time)) this.moved();
    else if (pending && performance.now() >= this.#againAt && this.#again < AGAIN_MS.length) this.#ask();
  }

  /** Somebody has done something: what is on its way is worth asking for. */
  touched() {
    this.#again = 0;
  }

  async #ask() {
    this.#loading = true;
    try {
      await this.load();
    } catch (error) {
      this.whole = EVERYTHING; // not asked for again and again
      this.dispatchEvent(new CustomEvent("problem", { detail: { error } }));
    }
    this.#loading = false;
  }

  async load() {
    this.#asked += 1;
    const mine = this.#asked;
    this.#againAt = performance.now() + AGAIN_MS[Math.min(this.#again, AGAIN_MS.length - 1)];
    this.#again += 1;
    const { start, end, time } = this.#view();
    const margin = (end - start) / 2;
    const wanted = { start: iso(start - margin), end: iso(end + margin), around: iso(time) };
    const tiles = [...this.#tiles];
    const found = await answersOf(tiles, wanted);
    if (mine !== this.#asked) return; // of a view that was left meanwhile
    this.#loaded = { start: start - margin, end: end + margin };
    const before = this.#lasts();
    this.#answers = found;
    this.#take();
    if (this.#lasts().some((end, number) => end > before[number])) [this.#again, this.#againAt] = [1, performance.now() + AGAIN_MS[1]]; // it comes: more will
    await this.added(); // those that came while this was on its way
  }

  /** Until when there is footage of each camera, as far as is known. */
  #lasts() {
    return this.#tiles.map((tile) => tile.footage.at(-1)?.end ?? 0);
  }

  /** Cameras were added: they alone are asked for, about what is known of the others. */
  async added() {
    const missing = this.#tiles.filter((tile) => !this.#answers.has(tile));
    const loaded = this.#loaded;
    if (!missing.length || !loaded.end) return;
    const found = await answersOf(missing, { start: iso(loaded.start), end: iso(loaded.end), around: iso(this.#view().time) });
    if (loaded !== this.#loaded) return; // what was loaded since then has them
    for (const [tile, answer] of found) this.#answers.set(tile, answer);
    this.#take();
  }

  /** A bookmark was added or changed. */
  bookmarked(bookmark) {
    this.unbookmarked(bookmark, bookmark);
  }

  /** A bookmark is gone; instead: what takes its place. */
  unbookmarked({ bookmark_id: id, camera_id: camera }, instead = null) {
    for (const [tile, answer] of this.#answers) {
      if (tile.cameraId !== camera) continue;
      const others = answer.bookmarks.filter((bookmark) => bookmark.bookmark_id !== id);
      this.#answers.set(tile, { ...answer, bookmarks: instead ? [...others, instead] : others });
    }
    this.#take();
  }

  removed(tile) {
    this.#answers.delete(tile);
    this.#take();
  }

  #take() {
    this.whole = { ...EVERYTHING };
    const known = new Map();
    const bookmarks = [];
    for (const tile of this.#tiles) {
      const answer = this.#answers.get(tile);
      if (!answer) continue;
      this.zone = answer.time_zone;
      tile.setName(answer.camera);
      tile.setTimeline({ ...this.#loaded, footage: answer.footage.map(span), gaps: answer.gaps.map(span) });
      bookmarks.push(...answer.bookmarks);
      for (const event of answer.events) known.set(event.event_id, event);
      if (answer.events_cut) this.#cut(span({ start: answer.events_start, end: answer.events_end }));
    }
    this.events = [...known.values()]
      .map((event) => ({ ...event, time: Date.parse(event.occurred) }))
      .filter((event) => this.isWhole(event.time))
      .sort((one, other) => one.time - other.time);
    this.bookmarks = bookmarks.map((bookmark) => ({ ...bookmark, time: Date.parse(bookmark.at) })).sort((one, other) => one.time - other.time);
    this.dispatchEvent(new Event("change"));
  }

  // Where the loaded span ends no event is missing: looking there asks for the next piece anyway.
  #cut(part) {
    if (part.start > this.#loaded.start) this.whole.start = Math.max(this.whole.start, part.start);
    if (part.end < this.#loaded.end) this.whole.end = Math.min(this.whole.end, part.end);
  }
}
