// One camera of the live page: its picture, its name, how it comes, and why it does not.

import { el, icon } from "../dom.js";
import { kindText, tone } from "../events.js";
import { get, iso } from "../server.js";
import { clock } from "../time.js";
import { has, t } from "../words.js";
import { MseSink } from "./mse.js";
import { FRAGMENT, INIT, MESSAGE } from "./request.js";
import { RtcSink } from "./rtc.js";

const UDP_MS = 3000; // so long WebRTC may take for its first picture before HTTPS is tried
const AGAIN_MS = 3000;
const STILL_MS = 4000; // so long a picture may stand before the page says so
const FOR_GOOD = new Set(["refused", "withdrawn"]);
const FULL_MS = 30_000; // until one that is converted already may have ended
const HEVC = 'video/mp4; codecs="hvc1.1.6.L120.B0"';
const EVENT_MS = 10_000;
const MINUTE_MS = 60_000;

export class Tile {
  /** again(tile, pause): asked for when it needs a look anew; small: the camera's smaller stream will do */
  constructor(camera, again, small) {
    this.smallStream = small;
    this.camera = camera;
    this.again = again;
    this.sink = null;
    this.byWebRtc = true;
    this.convert = !MseSink.plays(HEVC); // what is not H.264 is wanted as that
    this.turn = 0; // looks so far: what an earlier one says counts no more
    this.video = el("video", { muted: true, playsinline: true, autoplay: true, disablepictureinpicture: true });
    this.video.muted = true;
    this.strong = el("strong");
    this.small = el("small");
    this.veil = el("div", { class: "veil", role: "status" }, el("span", {}, this.strong, this.small));
    this.note = el("span", { class: "note", hidden: true });
    this.event = el("a", { class: "event", hidden: true });
    this.element = el(
      "figure",
      { class: "tile live", data: { camera: camera.camera_id, state: "coming" } },
      el("div", { class: "picture" }, this.video, this.event, this.veil),
      el(
        "figcaption",
        { class: "foot" },
        el("span", { class: "label" }, camera.name, this.note),
        el("a", { class: "button past", href: "/play", title: t("live.past"), "aria-label": `${t("live.past")}: ${camera.name}`, onclick: (event) => this.toPast(event) }, icon("film"), t("live.past")),
        el("a", { class: "button enlarge", href: `/live?${new URLSearchParams({ camera: camera.camera_id })}`, title: t("live.only"), "aria-label": `${t("live.only")}: ${camera.name}` }, icon("full")),
      ),
    );
    this.show("coming", t("live.coming"));
  }

  /** The recording a minute ago, counted from the press. */
  toPast(event) {
    event.currentTarget.href = `/play?${new URLSearchParams({ camera: this.camera.camera_id, at: iso(Date.now() - MINUTE_MS) })}`;
  }

  show(state, title = "", detail = "") {
    this.element.dataset.state = state;
    this.veil.hidden = state === "playing";
    this.strong.textContent = title;
    this.small.textContent = detail;
    this.note.hidden = state !== "playing";
  }

  /** What to ask for: a look by WebRTC where that may work, else fragments. */
  async look(servers) {
    this.end();
    this.turn += 1;
    const turn = this.turn;
    this.converted = false;
    if (this.byWebRtc) this.sink = await RtcSink.make(this.video, servers, () => turn === this.turn && this.overHttps());
    return { camera_id: this.camera.camera_id, offer: this.sink?.offer ?? "", small: this.smallStream, convert: this.convert };
  }

  /** Handles what comes for the look that was asked for last. */
  hears() {
    const turn = this.turn;
    return (kind, body) => {
      if (turn !== this.turn) return;
      if (kind === MESSAGE) this.told(body);
      else if (kind === INIT || kind === FRAGMENT) this.sink?.append?.(body);
    };
  }

  told(message) {
    if (message.answer) {
      this.sink.accept(message.answer);
      this.awaitPicture();
      this.patience = setTimeout(() => this.element.dataset.state !== "playing" && this.overHttps(), UDP_MS);
    } else if (message.mime) {
      this.fragments(message.mime, message.why);
    } else if (message.converted) {
      this.converted = true;
      this.show("coming", t("live.coming"), t("live.converted_help"));
    } else if (message.event) {
      this.happened(message.event);
    } else if (message.state) {
      this.show("away", t("live.away"), t("live.away_help"));
    } else if (message.ended) {
      this.ended(message.ended);
    }
  }

  /** What a door reports stands at the picture's head for a while, and leads to the recorded moment. */
  happened(event) {
    clearTimeout(this.leaving);
    this.event.href = `/visit/${event.event_id}`;
    this.event.className = `event ${tone([event.kind])}`;
    this.event.textContent = `${event.door} · ${kindText([event.kind])} · ${clock(Date.parse(event.at), this.camera.time_zone)}`;
    this.event.hidden = false;
    this.leaving = setTimeout(() => (this.event.hidden = true), EVENT_MS);
  }

  fragments(mime, why) {
    clearTimeout(this.patience);
    if (!(this.sink instanceof MseSink)) {
      this.sink?.close();
      this.sink = new MseSink(this.video, () => this.again(this, AGAIN_MS));
    }
    if (!MseSink.plays(mime)) {
      if (!this.convert) {
        this.convert = this.byWebRtc = true; // it plays H.265, and not this camera's
        this.turn += 1;
        return this.again(this, 0);
      }
      this.turn += 1;
      this.show("unplayable", t("live.unplayable"), mime);
      return;
    }
    this.element.dataset.why = why;
    this.sink.begin(mime);
    this.awaitPicture();
  }

  /** Show each picture that comes from now on, and say so once none comes: one that stands is not of now. */
  awaitPicture() {
    clearInterval(this.still);
    const turn = this.turn;
    const { video } = this;
    let last = performance.now();
    const seen = () => {
      if (turn !== this.turn || !this.sink) return;
      last = performance.now();
      if (this.element.dataset.state !== "playing") {
        this.note.textContent = this.converted ? `${this.sink.way} · ${t("live.converted")}` : this.sink.way;
        this.note.title = this.converted ? t("live.converted_help") : "";
        this.show("playing");
      }
      this.next = video.requestVideoFrameCallback?.(seen);
    };
    if (!video.requestVideoFrameCallback) return video.addEventListener("playing", seen, { once: true });
    video.cancelVideoFrameCallback(this.next); // of the stream before this one
    this.next = video.requestVideoFrameCallback(seen);
    this.still = setInterval(() => {
      if (document.hidden) last = performance.now(); // nothing is painted then
      else if (this.element.dataset.state === "playing" && performance.now() - last > STILL_MS) this.show("away", t("live.still"), t("live.still_help"));
    }, 500);
  }

  overHttps() {
    this.byWebRtc = false;
    this.show("coming", t("live.coming"));
    this.again(this, 0);
  }

  ended(reason) {
    if (this.sink instanceof RtcSink && ["bframes", "changed", "gone", "no_udp"].includes(reason)) {
      this.byWebRtc = reason === "changed";
      this.again(this, 0);
      return;
    }
    this.end();
    this.show("ended", t(has(`live.ended.${reason}`) ? `live.ended.${reason}` : "live.ended"), t(FOR_GOOD.has(reason) ? "live.ask" : "live.again"));
    if (!FOR_GOOD.has(reason)) this.again(this, reason === "conversions" ? FULL_MS : AGAIN_MS);
    else get("/v1/session").catch(() => {}); // where it is the session that has ended, this leads to sign-in
  }

  /** Show nothing, for this reason, until the page is opened again. */
  fail(reason) {
    this.end();
    this.show("ended", reason);
  }

  /** Show nothing any more. */
  end() {
    clearTimeout(this.patience);
    clearInterval(this.still);
    this.turn += 1;
    this.sink?.close();
    this.sink = null;
  }
}
