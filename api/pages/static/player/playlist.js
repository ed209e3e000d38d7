// The passages of a search, played one after another. What has no footage to show is skipped, and the list says why.

import { byId, el, show, toast } from "../dom.js";
import { badges, who } from "../events.js";
import { keptList } from "../playlist.js";
import { get } from "../server.js";
import { clock, shortDay } from "../time.js";
import { t } from "../words.js";
import { course, missing } from "./course.js";

const PAGE = 60; // events
const MOST = 200;

export class Playlist {
  #asked = keptList();
  #hits = [];
  #next = null;
  #at = -1;
  #going = 0; // grows with each way that is taken: the one before is given up
  #busy = false;
  #inside = true; // whether the time is within the clip, which it then leaves by playing
  #exact = false; // whether the person chose this clip: then it shows what is missing, too
  #shown = false; // whether any picture of it was seen

  /** open(event's detail): shows that passage, from its beginning. stop(): playing ends. */
  constructor({ open, stop }) {
    this.open = open;
    this.stop = stop;
    for (const id of ["playlist", "previous-clip", "next-clip"]) byId(id).hidden = id !== "playlist" && !this.#asked;
    show(byId("playlist-note"), this.#asked ? "" : t("playlist.gone"));
    byId("player").classList.add("with-list");
    byId("previous-clip").addEventListener("click", () => this.go(-1));
    byId("next-clip").addEventListener("click", () => this.go(1));
    byId("more-clips").addEventListener("click", () => this.#more().catch((error) => toast(error.message)));
  }

  get isLoaded() {
    return !this.#asked || this.#hits.length > 0;
  }

  /** Asks the search's question again; the player has the passage open already. */
  async load(eventId) {
    await this.#more(Math.max(PAGE, Math.min(MOST, this.#asked.events)));
    while (!this.#find(eventId) && this.#next) await this.#more();
    this.#mark();
  }

  /** To be called at each turn. clip: {start, end} of what is on show. A time to go to within it, or null. */
  turn(now, clip, tiles, playing) {
    this.#shown ||= tiles.some((tile) => tile.shownTime !== null);
    if (!playing || !this.#inside || !this.#hits.length) return null;
    const found = course(now, clip, tiles);
    const isAtEnd = now >= clip.end;
    const patient = this.#exact && !this.#shown && !isAtEnd; // what is missing stays on show as long as the clip lasts
    if (!found || patient || (this.#busy && !isAtEnd)) return null;
    if (found.seek) return found.seek;
    if (!this.#busy) {
      if (!this.#shown && this.#at >= 0) this.#skipped(this.#hits[this.#at], found.why || "gap.title");
      this.go(1);
    }
    return isAtEnd ? clip.end - 1 : null; // its last picture stays until the next clip is there
  }

  /** Somebody went to a time: beyond the clip, the list waits. Until when footage is to be fetched by itself. */
  sought(time, clip) {
    this.#inside = clip.start <= time && time < clip.end;
    return this.#inside ? clip.end : Infinity;
  }

  /** To the next passage with footage, or the previous one. */
  async go(direction) {
    await this.#way(async (still) => {
      for (let at = this.#at + direction; still(); at += direction) {
        if (at >= this.#hits.length && this.#next) await this.#more();
        const hit = this.#hits[at];
        if (!hit) return this.#ended(direction);
        const found = await this.#detail(hit);
        const why = found ? missing(found.cameras) : "problem.not-found_help";
        if (!still()) return undefined;
        if (!why) return this.#show(at, found, false);
        this.#skipped(hit, why);
      }
      return undefined;
    });
  }

  /** To one of them, whatever there is to show of it. */
  async #jump(at) {
    await this.#way(async (still) => {
      const found = await this.#detail(this.#hits[at]);
      if (!still()) return undefined;
      return found ? this.#show(at, found, true) : this.#skipped(this.#hits[at], "problem.not-found_help");
    });
  }

  async #way(walk) {
    this.#going += 1;
    const mine = this.#going;
    this.#busy = true;
    try {
      await walk(() => mine === this.#going);
    } catch (error) {
      if (error.status === undefined) throw error;
      this.stop();
      toast(error.message);
    } finally {
      if (mine === this.#going) this.#busy = false;
    }
  }

  /** On record before anything of it shows. null: it is no longer there, or no longer this person's to see. */
  async #detail(hit) {
    try {
      return await get(`/v1/events/${hit.event_id}`);
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  async #show(at, found, exact) {
    this.#at = at;
    this.#exact = exact;
    this.#shown = false;
    this.#inside = true;
    this.#mark();
    await this.open(found);
  }

  #ended(direction) {
    if (direction > 0) this.stop();
    toast(t(direction > 0 ? "playlist.end" : "playlist.begin"));
  }

  #find(eventId) {
    this.#at = this.#hits.findIndex((hit) => hit.event_id === eventId);
    return this.#at >= 0;
  }

  async #more(limit = PAGE) {
    const found = await get("/v1/find", [...this.#asked.asked, ["limit", limit], ...(this.#next ? [["cursor", this.#next]] : [])]);
    const first = this.#hits.length;
    this.#hits.push(...found.hits);
    this.#next = found.next;
    byId("clips").append(...found.hits.map((hit, number) => this.#row(hit, first + number)));
    byId("more-clips").hidden = !this.#next;
    this.#mark();
  }

  #row(hit, at) {
    const time = Date.parse(hit.occurred);
    return el(
      "li",
      { data: { event: hit.event_id } },
      el(
        "button",
        { type: "button", onclick: () => this.#jump(at) },
        el("time", { datetime: hit.occurred }, clock(time, hit.time_zone), el("small", {}, shortDay(time, hit.time_zone))),
        el("span", {}, who(hit.member), el("span", { class: "soft" }, hit.door)),
        el("span", { class: "badges" }, ...badges(hit, hit.kinds)),
        el("span", { class: "why" }),
      ),
    );
  }

  #skipped(hit, why) {
    const row = byId("clips").querySelector(`[data-event="${hit.event_id}"]`);
    row.dataset.skipped = "yes";
    row.querySelector(".why").textContent = t("playlist.skipped", { why: t(why) });
    toast(`${clock(Date.parse(hit.occurred), hit.time_zone)} ${hit.door}: ${t("playlist.skipped", { why: t(why) })}`);
  }

  /** The one on show is marked in the list, and scrolled to. */
  #mark() {
    const list = byId("clips");
    [...list.children].forEach((item, number) => {
      if (number !== this.#at) return item.removeAttribute("aria-current");
      item.setAttribute("aria-current", "true");
      list.scrollTop = item.offsetTop - list.offsetTop - list.clientHeight / 2 + item.clientHeight / 2;
      return undefined;
    });
    const count = this.#hits.length;
    byId("playlist-at").textContent = this.#at < 0 ? "" : t(this.#next ? "playlist.at_first" : "playlist.at", { number: this.#at + 1, count });
  }
}
