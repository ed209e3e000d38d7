// When the pictures of one camera are shown, as far as the clips have said so: [start, end) in ms of UTC. Pure.

const SAME_MS = 2; // one picture in two clips: each clip's start is told to the millisecond
const SEAM_MS = 150; // a hole shorter than this belongs to the picture before it, as on the timeline
const MOST = 20_000; // far more than a buffer holds
const NEAR_MS = 300_000;

export class Frames {
  #list = [];

  /** The pictures of one stretch, by time. */
  add(found) {
    if (!found.length) return;
    const [from, until] = [found[0].start - SAME_MS, found.at(-1).end - SAME_MS];
    const first = this.#index(from) + 1;
    let last = first;
    while (last < this.#list.length && this.#list[last].start < until) last += 1;
    this.#list.splice(first, last - first, ...found);
    if (this.#list.length > MOST) this.#list = this.#list.filter((frame) => Math.abs(frame.start - from) < NEAR_MS);
  }

  /** The picture whose interval holds the time: until the next one is shown. Null: not known, or there is none. */
  at(time) {
    const number = this.#index(time);
    const frame = this.#list[number];
    if (!frame) return null;
    const next = this.#list[number + 1];
    const end = next && next.start - frame.end < SEAM_MS ? next.start : frame.end;
    return time < end ? { start: frame.start, end } : null;
  }

  /** The picture after or before the one that holds the time; null where there is none next to it. */
  beside(time, direction) {
    const frame = this.at(time);
    if (!frame) return null;
    return direction > 0 ? this.at(frame.end) : this.at(frame.start - SAME_MS);
  }

  clear() {
    this.#list = [];
  }

  /** Of the last picture that begins at or before the time; -1. */
  #index(time) {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#list[middle].start <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
