// The time that every camera follows. It stands while one of them loads, so that none runs ahead.

export class Clock {
  #base;
  #since = null; // of the browser's own clock, while the time moves

  constructor(time) {
    this.#base = time;
    this.rate = 1;
    this.playing = false;
    this.stands = false;
  }

  get moves() {
    return this.playing && !this.stands;
  }

  now() {
    return this.#since === null ? this.#base : this.#base + (performance.now() - this.#since) * this.rate;
  }

  seek(time) {
    this.#base = time;
    this.#since = this.moves ? performance.now() : null;
  }

  play(playing) {
    this.#change({ playing });
  }

  setRate(rate) {
    this.#change({ rate });
  }

  hold(stands) {
    if (stands !== this.stands) this.#change({ stands });
  }

  #change(changes) {
    const now = this.now();
    Object.assign(this, changes);
    this.seek(now);
  }
}
