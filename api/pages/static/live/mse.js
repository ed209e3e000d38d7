// A camera's pictures as fragments over HTTPS, kept close behind the newest one.

const BEHIND_S = 0.12; // the newest pictures that are kept back, so that a late one causes no pause
const HURRY_S = 0.3; // further behind than this: a little faster
const LEAP_S = 1.0; // further behind than this: at once
const KEPT_S = 8;
const Source = window.MediaSource ?? window.ManagedMediaSource;

export class MseSink {
  way = "HTTPS";

  static plays = (mime) => Boolean(Source?.isTypeSupported(mime));

  constructor(video, lost) {
    this.video = video;
    this.lost = lost;
    this.waiting = [];
    this.buffer = null;
    this.source = null;
  }

  /** A new stream of this type begins. */
  begin(mime) {
    this.close();
    this.waiting = [];
    this.source = new Source();
    this.video.disableRemotePlayback = true;
    this.address = URL.createObjectURL(this.source);
    const source = this.source;
    source.addEventListener("sourceopen", () => {
      if (source !== this.source) return;
      this.buffer = source.addSourceBuffer(mime);
      this.buffer.addEventListener("updateend", () => this.go());
      this.go();
    }, { once: true });
    this.video.src = this.address;
  }

  append(bytes) {
    this.waiting.push(bytes);
    this.go();
  }

  go() {
    const { buffer, video } = this;
    if (!buffer || buffer.updating || this.source.readyState !== "open") return;
    try {
      if (this.waiting.length) {
        buffer.appendBuffer(joined(this.waiting.splice(0)));
      } else if (buffer.buffered.length && video.currentTime - buffer.buffered.start(0) > 2 * KEPT_S) {
        buffer.remove(0, video.currentTime - KEPT_S);
      }
    } catch {
      this.lost();
      return;
    }
    this.follow();
  }

  /** Stay just behind the newest picture. */
  follow() {
    const { buffer, video } = this;
    if (!buffer.buffered.length) return;
    const end = buffer.buffered.end(buffer.buffered.length - 1);
    const behind = end - video.currentTime;
    if (behind > LEAP_S || behind < 0 || video.currentTime < buffer.buffered.start(0)) {
      video.currentTime = Math.max(buffer.buffered.start(buffer.buffered.length - 1), end - BEHIND_S);
    }
    video.playbackRate = behind > HURRY_S ? 1.15 : 1;
    if (video.paused) video.play().catch(() => {});
  }

  close() {
    this.buffer = this.source = null;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    this.video.removeAttribute("src");
    this.video.load();
  }
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
