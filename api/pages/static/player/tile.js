// One camera's place on the page: its video follows the time, and is seen only while it presents the picture of that time.

import { el, icon, toast } from "../dom.js";
import { clipAddress } from "../server.js";
import { t } from "../words.js";
import { Feed } from "./feed.js";
import { Magnifier } from "./magnify.js";
import { BLANK, GAP, LOADING, OFFLINE, SHOWN, UNPLAYABLE, decide, groundAt, inStep, isAwaited, slack } from "./state.js";

const AHEAD_MS = 15_000; // at normal speed
const AHEAD_MAX_MS = 60_000;
const STILL_MS = 500; // paused: the picture and the next one
const COMING_MS = 3000; // in a gap: so long before it ends
const AGAIN_MS = 300;
const BETWEEN_MS = 1; // into a picture's interval: times are rounded on their way
const EDGE_MS = 2; // the timeline tells to the millisecond when footage begins
const FAR = 0.15; // the most by which the speed is changed to keep in step
const TELLS = "requestVideoFrameCallback" in HTMLVideoElement.prototype; // older browsers: the time that was asked for

export class Tile {
  #feed;
  #closed = false;
  #presented = null; // {start, end} of the picture on the screen, as far as is known
  #asked = null; // of the video: {time, since}
  #ground = { kind: "unknown" };

  /** camera: {camera_id, name}; with start and end, of one clip; with address(start, end), where its clips are. */
  constructor(camera, onEnlarge, onRemove = null) {
    this.cameraId = camera.camera_id;
    this.name = camera.name;
    this.timeline = null;
    this.until = Infinity; // nothing from then on is fetched
    this.state = { name: BLANK, why: "", waits: true };
    this.waitsSince = null;
    this.video = el("video", { playsinline: true, preload: "auto", disablepictureinpicture: true, disableremoteplayback: true, tabindex: -1 });
    this.video.muted = true;
    this.veil = el("div", { class: "veil" }, el("span", {}, el("strong"), el("small")));
    this.note = el("div", { class: "note", hidden: true }, t("player.loading"));
    this.enlarge = el("button", { type: "button", class: "enlarge", onclick: () => onEnlarge(this) }, icon("full"));
    this.leave = onRemove && el("button", { type: "button", class: "leave", onclick: () => onRemove(this) }, icon("close"));
    this.label = el("span", { class: "label" });
    this.converted = el("button", { type: "button", class: "converted", hidden: true, title: t("player.converted_help"), onclick: () => toast(t("player.converted_help")) }, t("player.converted"));
    const picture = el("div", { class: "picture" }, this.video, this.veil, this.note);
    this.magnifier = new Magnifier(picture, this.video);
    // Below the picture: cameras have their own clock and name in it, at any edge.
    this.element = el("figure", { class: "tile", data: { camera: this.cameraId } }, picture, el("figcaption", { class: "foot" }, this.label, this.converted, this.enlarge, this.leave));
    this.setName(camera.name);
    const visit = camera.start === undefined ? null : { start: camera.start, end: camera.end };
    const address = camera.address ?? ((start, end) => clipAddress(this.cameraId, start, end));
    this.#feed = new Feed(this.video, address, visit);
    this.#watch();
    this.#show(0);
  }

  setName(name) {
    this.name = name;
    this.label.textContent = name;
    this.enlarge.title = t("player.enlarge", { camera: name });
    this.enlarge.setAttribute("aria-label", this.enlarge.title);
    if (this.leave) this.leave.title = t("player.remove_camera", { camera: name });
    this.leave?.setAttribute("aria-label", this.leave.title);
    this.video.setAttribute("aria-label", name);
  }

  /** The camera is no longer wanted: nothing of it is fetched any more. */
  close() {
    this.#closed = true;
    this.#rest();
    this.#feed.close();
    this.element.remove();
  }

  /** What is known of the camera's time: {footage, gaps, start, end}. */
  setTimeline(timeline) {
    this.timeline = timeline;
  }

  get footage() {
    return this.timeline?.footage ?? [];
  }

  get gaps() {
    return this.timeline?.gaps ?? [];
  }

  /** Whether more is to be known of the time soon: it is on its way from the recorder. */
  get isPending() {
    return this.state.name === GAP && this.state.why === "pending";
  }

  /** When the picture that is seen was taken; null: none is seen. */
  get shownTime() {
    return this.state.name === SHOWN ? this.#presented.start : null;
  }

  /** Until when the time may go on without leaving this camera behind. */
  limit(time) {
    if (this.#ground.kind !== "run" || [GAP, UNPLAYABLE].includes(this.state.name)) return Infinity;
    if (this.state.waits && !isAwaited(this, performance.now())) return Infinity;
    return this.#feed.end(time) ?? time;
  }

  /** When the picture beside the one that holds the time was taken; null: not known. */
  beside(time, direction) {
    return this.#feed.frames.beside(time, direction)?.start ?? null;
  }

  /** Follow the time. rate: 0 when paused. moves: whether the time goes on now. */
  sync(time, rate, moves) {
    const ground = groundAt(time, this.timeline, Date.now());
    this.#ground = ground;
    const coming = ground.kind === "gap" && rate ? this.footage.find((span) => span.start > time && span.start - time < COMING_MS * rate) : null;
    const run = ground.kind === "run" ? ground : coming;
    const { frames } = this.#feed;
    const early = !frames.at(time) && frames.at(time + EDGE_MS) ? EDGE_MS : 0;
    const at = (coming ? coming.start : time) + early;
    const wanted = run && at < this.until ? { ...run, end: Math.min(run.end, this.until) } : null;
    this.#feed.want(wanted && { time: at, run: wanted, rate, ahead: rate ? Math.min(AHEAD_MAX_MS, AHEAD_MS * rate) : STILL_MS });
    if (!run || !this.#feed.sink.isOpen) this.#rest();
    else if (moves && !coming) this.#run(at, rate);
    else this.#stand(at, coming ? 0 : rate);
    if (!TELLS && !this.video.seeking && this.video.readyState >= 2) this.#presents(this.video.currentTime);
    this.#decide(at, rate, ground);
    this.#show(rate);
  }

  #decide(time, rate, ground) {
    const end = this.#feed.end(time);
    const ahead = end === null ? 0 : Math.min(end, ground.end - 1) === ground.end - 1 ? Infinity : end - time;
    const facts = { time, ground, problem: this.#feed.problemAt(time), frame: this.#presented, ahead, rate };
    this.state = decide(this.state, facts);
    this.waitsSince = this.state.waits ? (this.waitsSince ?? performance.now()) : null;
  }

  #rest() {
    if (!this.video.paused) this.video.pause();
  }

  /** Standing still at a time. */
  #stand(time, rate) {
    this.#rest();
    const { video } = this;
    const seen = this.#presented;
    if (seen && !video.seeking && inStep(seen, time, rate, this.state.name === SHOWN)) return;
    const frame = this.#feed.frames.at(time);
    if (frame) this.#seek(frame.start + Math.min(BETWEEN_MS, (frame.end - frame.start) / 2));
  }

  /** Going on with the time: a little slower or faster, or by a jump. */
  #run(time, rate) {
    const { video } = this;
    const { sink, frames } = this.#feed;
    const off = sink.time(video.currentTime) - time;
    const frame = frames.at(time);
    if (!frame) return;
    if (!video.seeking && Math.abs(off) > slack(frame, rate, true)) this.#seek(time);
    if (video.paused && !video.ended && !video.seeking) video.play().catch(() => {});
    video.playbackRate = rate * (1 - Math.max(-FAR, Math.min(FAR, (off / 1000) * 0.6)));
  }

  #seek(time) {
    const { video } = this;
    const now = performance.now();
    if (this.#asked?.time === time && (video.seeking || now - this.#asked.since < AGAIN_MS)) return;
    this.#asked = { time, since: now };
    this.#presented = null; // whatever comes next says when it was taken
    video.currentTime = this.#feed.sink.seconds(time);
  }

  /** Every picture that is presented, with its own time. */
  #watch() {
    const { video } = this;
    const seen = (_, { mediaTime }) => {
      if (this.#closed) return;
      this.#presents(mediaTime);
      video.requestVideoFrameCallback(seen);
    };
    if (TELLS) video.requestVideoFrameCallback(seen);
  }

  #presents(mediaTime) {
    const { sink, frames } = this.#feed;
    const time = sink.time(mediaTime);
    this.#presented = frames.at(time + BETWEEN_MS / 2) ?? { start: time, end: time + BETWEEN_MS };
  }

  #show(rate) {
    const { name, why, waits } = this.state;
    const state = name === SHOWN ? (rate ? "playing" : "paused") : name;
    this.element.dataset.clipStart = String(this.#feed.sink.origin);
    this.note.hidden = !(name === SHOWN && waits);
    this.converted.hidden = !this.#feed.converted;
    const text = `${state} ${why}`;
    if (text === this.said) return;
    this.said = text;
    this.element.dataset.state = state;
    this.veil.hidden = name === SHOWN;
    const [title, detail] = words(name, why);
    this.veil.querySelector("strong").textContent = title;
    this.veil.querySelector("small").textContent = detail;
  }
}

function words(name, why) {
  if (name === GAP && why === "pending") return [t("find.coming"), ""];
  if (name === GAP && why === "withheld") return [t("gap.expired"), ""];
  if (name === GAP) return why === "future" ? [t("player.future"), ""] : [t("gap.title"), why ? t(`gap.${why}`) : ""];
  if (name === OFFLINE) return [t(why), t("player.again")];
  if (name === LOADING || name === BLANK) return [t("player.loading"), ""];
  return [t(why), ""];
}
