// One camera's picture, following the clock: asks for the clip that holds the time, seeks, keeps in step.

import { el, icon } from "./dom.js";
import { clipAddress, head } from "./server.js";
import { t } from "./words.js";

// Beyond the span of the visit, footage is asked for in pieces of this length: each is a look on record.
const PIECE_MS = 120_000;
const FAR_S = 0.35;
const RETRY_MS = 3000;

export class Tile {
  constructor(camera, onEnlarge) {
    this.cameraId = camera.camera_id;
    this.name = camera.name;
    this.first = camera.start === undefined ? null : { start: camera.start, end: camera.end };
    this.footage = [];
    this.gaps = [];
    this.clip = null;
    this.frameMs = 40;
    this.video = el("video", { playsinline: true, preload: "auto", disablepictureinpicture: true, disableremoteplayback: true, tabindex: -1, "aria-label": camera.name });
    this.video.muted = true;
    this.veil = el("div", { class: "veil", hidden: true }, el("span", {}, el("strong"), el("small")));
    this.spinner = el("div", { class: "spinner", hidden: true }, t("player.loading"));
    this.enlarge = el("button", { type: "button", class: "enlarge", onclick: () => onEnlarge(this) }, icon("full"));
    this.label = el("div", { class: "label" }, camera.name);
    this.element = el("figure", { class: "tile", data: { camera: this.cameraId, state: "loading" } }, this.video, this.veil, this.spinner, this.label, this.enlarge);
    this.setName(camera.name);
    this.video.addEventListener("loadedmetadata", () => this.#became("ready"));
    this.video.addEventListener("error", () => this.clip && this.#failed(this.clip, this.video.error?.code === 4 ? "player.unplayable" : "problem.away", true));
    this.#measureFrames();
  }

  setName(name) {
    this.name = name;
    this.label.textContent = name;
    this.enlarge.title = t("player.enlarge", { camera: name });
    this.enlarge.setAttribute("aria-label", this.enlarge.title);
    this.video.setAttribute("aria-label", name);
  }

  setTimeline(footage, gaps) {
    this.footage = footage;
    this.gaps = gaps;
  }

  /** Follow the clock; true: not there yet, wait for me. */
  sync(now, playing, rate) {
    const span = this.footage.find((each) => each.start <= now && now < each.end);
    if (!span) {
      this.#gap(now);
      return false;
    }
    if (!this.clip || now < this.clip.askedStart || now >= this.clip.askedEnd) this.#load(this.#piece(now, span));
    const { clip } = this;
    if (clip.state === "failed") {
      this.#veil(t(clip.reason), "");
      this.#state("failed");
      return false;
    }
    this.#veil("");
    if (clip.state !== "ready") {
      this.spinner.hidden = false;
      this.#state("loading");
      return true;
    }
    return this.#follow(now, playing, rate);
  }

  /** The time in the picture that is shown, or null. */
  shownTime() {
    return this.clip?.state === "ready" && this.veil.hidden ? this.clip.start + this.video.currentTime * 1000 : null;
  }

  #follow(now, playing, rate) {
    const { video, clip } = this;
    const target = Math.min(Math.max(0, (now - clip.start) / 1000), Math.max(0, (video.duration || 0) - 0.02));
    const ahead = video.currentTime - target;
    const exact = playing ? FAR_S * Math.max(1, rate) : (this.frameMs / 1000) * 0.25;
    if (Math.abs(ahead) > exact && !video.seeking) video.currentTime = target + 0.001;
    if (playing && video.paused) video.play().catch(() => {});
    if (!playing && !video.paused) video.pause();
    if (playing) video.playbackRate = rate * (1 - Math.max(-0.15, Math.min(0.15, ahead * 0.6)));
    const ready = !video.seeking && video.readyState >= 2;
    this.spinner.hidden = ready;
    this.#state(ready ? (playing ? "playing" : "paused") : "loading");
    return !ready || (playing && video.readyState < 3 && !video.ended && target < (video.duration || 0) - 0.3);
  }

  #piece(now, span) {
    const wanted = this.first && this.first.start <= now && now < this.first.end ? this.first : null;
    const block = Math.floor(now / PIECE_MS) * PIECE_MS;
    const { start, end } = wanted ?? { start: block, end: block + PIECE_MS };
    return { start: Math.max(start, span.start), end: Math.min(end, span.end) };
  }

  async #load({ start, end }) {
    const clip = { askedStart: start, askedEnd: end, start, end, state: "asking", reason: "" };
    this.clip = clip;
    this.video.pause();
    const address = clipAddress(this.cameraId, start, end);
    try {
      const headers = await head(address);
      if (this.clip !== clip) return;
      clip.start = Date.parse(headers.get("Tallenne-Clip-Start"));
      clip.end = Date.parse(headers.get("Tallenne-Clip-End"));
      this.element.dataset.clipStart = String(clip.start);
      clip.state = "loading";
      this.video.src = address;
    } catch (error) {
      this.#failed(clip, error.status === 404 ? "gap.expired" : "problem.away", error.status !== 404);
    }
  }

  #failed(clip, reason, again) {
    if (this.clip !== clip) return;
    clip.state = "failed";
    clip.reason = reason;
    if (again && reason !== "player.unplayable") setTimeout(() => this.clip === clip && (this.clip = null), RETRY_MS);
  }

  #became(state) {
    if (this.clip?.state === "loading") this.clip.state = state;
  }

  #gap(now) {
    if (!this.video.paused) this.video.pause();
    this.spinner.hidden = true;
    const gap = this.gaps.find((each) => each.start <= now && now < each.end);
    this.#veil(now > Date.now() ? t("player.future") : t("gap.title"), gap ? t(`gap.${gap.cause}`) : "");
    this.#state("gap");
  }

  #veil(title, detail = "") {
    this.veil.hidden = !title;
    if (!title) return;
    this.veil.querySelector("strong").textContent = title;
    this.veil.querySelector("small").textContent = detail;
  }

  #state(state) {
    if (this.element.dataset.state !== state) this.element.dataset.state = state;
  }

  /** How long a frame lasts, from the pictures themselves. */
  #measureFrames() {
    if (!("requestVideoFrameCallback" in this.video)) return;
    let last = null;
    const seen = (_, { mediaTime, presentedFrames }) => {
      if (last && presentedFrames === last.presentedFrames + 1 && !this.video.paused) {
        const step = (mediaTime - last.mediaTime) * 1000;
        if (step > 5 && step < 250) this.frameMs = this.frameMs * 0.8 + step * 0.2;
      }
      last = { mediaTime, presentedFrames };
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }
}
