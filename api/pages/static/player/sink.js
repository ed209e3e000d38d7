// A video element fed by a MediaSource whose own time is a camera's: second 0 is ``origin``, in ms of UTC.

const Source = self.MediaSource ?? self.ManagedMediaSource;
const LENGTH_S = 3 * 86_400; // a person who looks further is given a new source
const TOUCH_S = 0.002; // a group of pictures begins exactly where the one before it ends

/** What the server makes of footage that a browser cannot play: H.264 that every browser can. */
export const CONVERTED = 'video/mp4; codecs="avc1.42c02a"';

/** The browser does not take what it was given. */
export class RefusedError extends Error {}

/** It was closed while it worked: a buffer that was taken away reports nothing any more. */
export class ClosedError extends Error {}

export const playable = (mime) => Boolean(Source?.isTypeSupported(mime));

/** When the buffer has taken what it was given. */
const taken = (buffer) =>
  new Promise((resolve, reject) => {
    const end = (settle) => () => {
      buffer.removeEventListener("updateend", done);
      buffer.removeEventListener("error", failed);
      settle();
    };
    const done = end(resolve);
    const failed = end(() => reject(new RefusedError("The browser does not take these pictures.")));
    buffer.addEventListener("updateend", done);
    buffer.addEventListener("error", failed);
  });

export class Sink {
  #video;
  #source = null;
  #buffer = null;
  #mime = "";
  #clip = null; // whose beginning the buffer was given last
  #leave = null; // ends the wait for the buffer

  constructor(video) {
    this.#video = video;
    this.origin = 0;
  }

  get isOpen() {
    return this.#buffer !== null;
  }

  get mime() {
    return this.#mime;
  }

  get hasEnded() {
    return this.#source?.readyState === "ended";
  }

  seconds(time) {
    return (time - this.origin) / 1000;
  }

  time(seconds) {
    return this.origin + seconds * 1000;
  }

  /** Ready for footage of this kind and time. True: what was in it is gone. */
  async open(mime, time) {
    const place = this.seconds(time);
    if (this.#buffer && place > 60 && place < LENGTH_S - 3600) {
      if (mime === this.#mime) return false;
      if (this.#buffer.changeType) {
        this.#mime = mime;
        this.#clip = null;
        this.#reopen();
        this.#buffer.changeType(mime);
        return false;
      }
    }
    this.close();
    const source = new Source();
    this.origin = Math.floor(time / 1000) * 1000 - LENGTH_S * 500;
    this.#source = source;
    const address = URL.createObjectURL(source);
    const opened = new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
    this.#video.src = address;
    await opened;
    URL.revokeObjectURL(address);
    source.duration = LENGTH_S;
    this.#buffer = source.addSourceBuffer(mime);
    this.#mime = mime;
    return true;
  }

  close() {
    this.#leave?.(new ClosedError("The buffer was closed."));
    this.#source = this.#buffer = this.#clip = null;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  /** What is appended from now on is of this clip, {start}, from the beginning of a fragment on. init: null, where it comes along. */
  async begin(clip, init) {
    this.#reopen();
    this.#buffer.abort(); // whatever was cut off is forgotten
    this.#buffer.timestampOffset = this.seconds(clip.start);
    if (init && clip !== this.#clip) await this.append(init);
    this.#clip = init && clip;
  }

  /** QuotaExceededError when there is no room. */
  async append(bytes) {
    const done = this.#taken();
    this.#buffer.appendBuffer(bytes);
    await done;
  }

  /** [from, until) in ms, whole groups of pictures. */
  async remove(from, until) {
    this.#reopen();
    const start = Math.max(0, this.seconds(from) - TOUCH_S);
    const end = until === Infinity ? Infinity : this.seconds(until) - TOUCH_S;
    if (end <= start || start >= LENGTH_S) return;
    const done = this.#taken();
    this.#buffer.remove(start, end);
    await done;
  }

  /** Nothing follows for now: without that, decoders keep the last pictures back. */
  finish() {
    if (this.#source.readyState === "open") this.#source.endOfStream();
  }

  /** Where the pictures that are here from the time on end, in ms; null: there are none. */
  end(time) {
    const at = this.seconds(time) + TOUCH_S;
    const { buffered } = this.#video;
    for (let number = 0; number < buffered.length; number += 1) {
      if (buffered.start(number) <= at && at < buffered.end(number)) return this.time(buffered.end(number));
    }
    return null;
  }

  #taken() {
    const closed = new Promise((_, reject) => (this.#leave = reject));
    return Promise.race([taken(this.#buffer), closed]);
  }

  #reopen() {
    if (this.#source.readyState === "ended") this.#buffer.timestampOffset = this.#buffer.timestampOffset; // opens it again
    if (this.#source.duration !== LENGTH_S) this.#source.duration = LENGTH_S; // so that one may look beyond what is here
  }
}
