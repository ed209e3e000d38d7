// Which clip to ask for, which part of it, and what of a camera's time has been fetched. Pure; ms of UTC.

// Beyond the span of the visit, footage is asked for in clips of this length: each is a look on record.
const PIECE_MS = 120_000;
const TOUCH_MS = 3; // clips tell their start to the millisecond

/** The clip that holds the time: the visit's span where that holds it, else a block of two minutes; within the run. */
export function pieceAt(time, run, visit) {
  const block = Math.floor(time / PIECE_MS) * PIECE_MS;
  const { start, end } = visit && visit.start <= time && time < visit.end ? visit : { start: block, end: block + PIECE_MS };
  return { start: Math.max(start, run.start), end: Math.min(end, run.end) };
}

/** The groups of pictures from the one that holds ``from`` to the one that holds ``until``: [first, last], or null. */
export function groupsFor(groups, from, until) {
  let first = groups.findLastIndex((group) => group.start <= from + TOUCH_MS);
  if (first < 0) first = groups.findIndex((group) => group.start < until);
  if (first < 0 || groups[first].stop <= from) return null;
  let last = first;
  while (last + 1 < groups.length && groups[last + 1].start < until) last += 1;
  return [first, last];
}

/** Stretches of time that have been fetched. */
export class Fetched {
  #list = [];

  add(start, end) {
    this.#list.push({ start, end });
    this.#list.sort((one, other) => one.start - other.start);
  }

  /** Where what was fetched around the time ends, or null: nothing was. */
  end(time) {
    let end = null;
    for (const span of this.#list) {
      if (span.start > (end ?? time) + TOUCH_MS) break;
      if (span.end > (end ?? time)) end = span.end;
    }
    return end;
  }

  /** Forget the stretches that lie outside of [from, until); what the others reach from and to, or null. */
  keep(from, until) {
    this.#list = this.#list.filter((span) => span.end > from && span.start < until);
    if (!this.#list.length) return null;
    return { start: this.#list[0].start, end: Math.max(...this.#list.map((span) => span.end)) };
  }
}
