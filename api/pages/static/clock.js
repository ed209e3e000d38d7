// The time that every camera follows. Held while a picture is being loaded, so that nobody runs ahead.

export class Clock {
  constructor(timeMs) {
    this.base = timeMs;
    this.since = null;
    this.rate = 1;
    this.playing = false;
    this.held = false;
  }

  now() {
    return this.since === null ? this.base : this.base + (performance.now() - this.since) * this.rate;
  }

  #set(timeMs) {
    this.base = timeMs;
    this.since = this.playing && !this.held ? performance.now() : null;
  }

  seek(timeMs) {
    this.#set(timeMs);
  }

  play(playing) {
    const now = this.now();
    this.playing = playing;
    this.#set(now);
  }

  setRate(rate) {
    const now = this.now();
    this.rate = rate;
    this.#set(now);
  }

  hold(held) {
    if (held === this.held) return;
    const now = this.now();
    this.held = held;
    this.#set(now);
  }
}
