// Fetches one camera's footage for its video element: always whole groups of pictures, those that are wanted first.

import { Problem, part } from "../server.js";
import { MoofScanner, picturesOf, readHead } from "./boxes.js";
import { Frames } from "./frames.js";
import { Fetched, groupsFor, pieceAt } from "./pieces.js";
import { CONVERTED, Sink, playable } from "./sink.js";
import { GAP, OFFLINE, UNPLAYABLE } from "./state.js";

const HEAD_BYTES = 8192;
const CLIPS_MAX = 32;
const KEPT_MS = 30_000; // on either side of what is wanted
const TIGHT_MS = 3000;
const SKIP_MS = 4000; // what is further ahead of what arrives is asked for by itself
const STALL_MS = 10_000;
const RETRY_MS = [1000, 2000, 4000, 8000];
const AGAIN_MS = 15_000; // footage that is refused may be given again
const TAIL_MS = 1500;
const HOLE_MS = 20;
const SEAM_MS = 150; // a hole shorter than this is played over
const NEAR_MS = 2000;
const PART_MS = 4000; // so much is converted at a time: others wait meanwhile
const IN_CONVERTED = { timescale: 90_000, shiftTicks: 0 };

export class Feed {
  #address;
  #visit;
  #clips = new Map();
  #fetched = new Fetched();
  #asked = null;
  #job = null;
  #tail = null; // nothing is fetched beyond, since nothing follows directly
  #problem = null; // {name, why, start, end}: a state of those times
  #failures = 0;
  #retryAt = 0;
  #converts = new Set(); // kinds of footage that this browser has said it plays, and does not
  #left = new AbortController(); // ends what listens, with the feed

  /** address(start, end): of the camera's clip of a span. visit: {start, end} to be fetched as one clip, or null. */
  constructor(video, address, visit) {
    this.#address = address;
    this.#visit = visit;
    this.sink = new Sink(video);
    this.frames = new Frames();
    this.converted = ""; // what it was that the server converts, as this browser cannot play it
    const { signal } = this.#left;
    video.addEventListener("error", () => video.error && this.#broken(video.error), { signal });
    addEventListener("online", () => (this.#retryAt = 0), { signal });
  }

  /** Nothing is fetched from now on, and what was fetched is dropped. */
  close() {
    this.#left.abort();
    this.#asked = null;
    this.#job?.control.abort();
    this.sink.close();
  }

  /** To be called again and again. {time, ahead, run, rate}: footage from the time on, within its run; null: nothing. */
  want(asked) {
    this.#asked = asked;
    if (!asked || this.#left.signal.aborted) return;
    this.#findTail(asked);
    if (this.#job && !this.#serves(this.#job, asked)) this.#job.control.abort();
    if (!this.#job && performance.now() >= this.#retryAt) this.#start(asked);
  }

  /** Until when pictures are here from the time on, in ms; Infinity where nothing follows them; null: none are. */
  end(time) {
    if (!this.sink.isOpen) return null;
    let end = this.sink.end(time) ?? this.sink.end(time + SEAM_MS);
    for (let next = end; next !== null; next = this.sink.end(end + SEAM_MS)) end = next;
    const isLast = this.#tail !== null || this.#fetched.end(time) > end + SEAM_MS;
    return end !== null && isLast ? Infinity : end;
  }

  problemAt(time) {
    const problem = this.#problem;
    if (problem && problem.start <= time && time < problem.end) return problem;
    const empty = this.#fetched.end(time) !== null && !this.frames.at(time);
    if (empty && this.converted) return { name: UNPLAYABLE, why: "player.damaged" };
    return empty ? { name: GAP, why: "unknown" } : null;
  }

  // The pictures just before a gap are shown only when the decoder knows that nothing comes.
  #findTail({ time, run, rate }) {
    this.#tail = null;
    const end = this.sink.isOpen ? this.sink.end(time) : null;
    if (end === null || end - time > TAIL_MS * Math.max(1, rate)) return;
    const fetched = this.#fetched.end(time) ?? time;
    const hole = !rate && fetched > end + HOLE_MS;
    if (hole || fetched >= run.end - HOLE_MS) this.#tail = end;
  }

  #serves(job, { time, run }) {
    if (job.name === "finish" || this.#fetched.end(time) !== null) return true;
    if (job.name === "head") return job.piece.start <= time && time < job.piece.end;
    return job.from <= time && time < job.until && time <= job.position + SKIP_MS && job.run.start === run.start;
  }

  #start(asked) {
    const job = this.#plan(asked);
    if (!job) return;
    this.#job = job;
    job
      .work()
      .then(() => this.#worked(), (error) => this.#failed(error, job))
      .finally(() => (this.#job = null));
  }

  #plan({ time, run, ahead }) {
    if (this.#tail !== null) return this.sink.hasEnded ? null : { name: "finish", control: new AbortController(), work: () => this.#finish(this.#tail) };
    const until = Math.min(time + ahead, run.end);
    const from = Math.max(time, this.#fetched.end(time) ?? time);
    if (from >= until - HOLE_MS && from > time) return null;
    const piece = pieceAt(from, run, this.#visit);
    const job = { control: new AbortController(), piece, run, from, until, position: from };
    const clip = this.#clips.get(this.#address(piece.start, piece.end));
    if (!clip) return Object.assign(job, { name: "head", work: () => this.#fetchHead(job) });
    if (!playable(clip.mime) || this.#converts.has(clip.mime)) {
      if (!playable(CONVERTED)) {
        this.#problem = { name: UNPLAYABLE, why: "player.unplayable", ...piece };
        return null;
      }
      job.until = Math.min(until, from + PART_MS);
      return Object.assign(job, { name: "media", work: () => this.#fetchConverted(job, clip) });
    }
    return Object.assign(job, { name: "media", work: () => this.#fetchMedia(job, clip) });
  }

  async #finish(end) {
    await this.sink.remove(end, Infinity);
    this.#fetched.keep(0, end - HOLE_MS);
    this.sink.finish();
  }

  async #fetchHead({ piece, control }) {
    const address = this.#address(piece.start, piece.end);
    for (let size = HEAD_BYTES; ; size *= 8) {
      const answer = await watched(control, () => part(address, { start: 0, end: size, signal: control.signal }));
      const bytes = new Uint8Array(await watched(control, () => answer.arrayBuffer()));
      const head = readHead(bytes);
      if (!head && bytes.length < size) throw new RangeError("a clip's beginning cannot be read");
      if (!head) continue;
      const { headers } = answer;
      const start = Date.parse(headers.get("Tallenne-Clip-Start"));
      const groups = head.groups.map((group) => ({ ...group, start: start + group.start * 1000, stop: Math.min(start + group.stop * 1000, piece.end) }));
      this.#clips.set(address, { ...head, groups, address, start, init: bytes.slice(0, head.initEnd), mime: headers.get("Content-Type"), tag: headers.get("ETag") });
      if (this.#clips.size > CLIPS_MAX) this.#clips.delete(this.#clips.keys().next().value);
      return;
    }
  }

  async #fetchMedia(job, clip) {
    const groups = this.#groups(job, clip);
    if (!groups) return;
    if (await this.sink.open(clip.mime, job.from)) this.#fetched = new Fetched();
    await this.#makeRoom(KEPT_MS);
    const answer = await watched(job.control, () => part(clip.address, { start: groups[0].offset, end: groups.at(-1).end, tag: clip.tag, signal: job.control.signal }));
    this.converted = "";
    await this.sink.begin(clip, clip.init);
    let at = groups[0].offset;
    const left = await this.#take(answer.body.getReader(), job, clip, groups, (group, length) => group.end <= (at += length));
    if (left) this.#fetched.add(left.start, left.stop); // a clip without an index
  }

  /** The same pictures as H.264. What they begin with comes with them; where they end early, the rest cannot be converted. */
  async #fetchConverted(job, clip) {
    const groups = this.#groups(job, clip);
    if (!groups) return;
    this.converted = clip.mime;
    const answer = await watched(job.control, () => part(`${clip.address}&as=h264`, { start: groups[0].offset, end: groups.at(-1).end, tag: clip.tag, signal: job.control.signal }));
    if (await this.sink.open(CONVERTED, job.from)) this.#fetched = new Fetched();
    await this.#makeRoom(KEPT_MS);
    await this.sink.begin(clip, null);
    job.position = groups[0].start;
    const left = await this.#take(answer.body.getReader(), job, { ...clip, ...IN_CONVERTED }, groups, (group) => job.position >= group.stop - HOLE_MS);
    if (left) this.#fetched.add(left.start, job.until); // what did not come cannot be converted
  }

  /** The groups that are to be fetched; null: there are none. */
  #groups(job, clip) {
    const range = groupsFor(clip.groups, job.from, Math.min(job.until, job.piece.end));
    if (!range) {
      this.#fetched.add(job.from, job.piece.end); // the timeline knows more than the clip has
      return null;
    }
    const groups = clip.groups.slice(range[0], range[1] + 1);
    if (groups[0].start > job.from) this.#fetched.add(job.from, groups[0].start);
    job.from = Math.min(job.from, groups[0].start);
    job.until = groups.at(-1).stop;
    return groups;
  }

  /** Each group counts as fetched when all of it is in the buffer. isHere(group, length of what came); the group that is not, if any. */
  async #take(reader, job, clip, groups, isHere) {
    const scanner = new MoofScanner();
    let next = 0;
    for (;;) {
      const { done, value } = await watched(job.control, () => reader.read());
      if (done) return groups[next];
      for (const moof of scanner.push(value)) {
        const pictures = picturesOf(moof, clip).map(({ start, end }) => ({ start: clip.start + start * 1000, end: clip.start + end * 1000 }));
        this.frames.add(pictures);
        job.position = pictures.at(-1)?.end ?? job.position;
      }
      await this.#append(value);
      for (let length = value.length; next < groups.length && isHere(groups[next], length); next += 1, length = 0) this.#fetched.add(groups[next].start, groups[next].stop);
    }
  }

  async #append(bytes) {
    try {
      await this.sink.append(bytes);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      await this.#makeRoom(TIGHT_MS);
      await this.sink.append(bytes);
    }
  }

  async #makeRoom(around) {
    const { time, ahead } = this.#asked;
    const [from, until] = [time - around, time + around + (around === KEPT_MS ? ahead : 0)];
    const kept = this.#fetched.keep(from, until) ?? { start: from, end: until };
    await this.sink.remove(this.sink.origin, Math.min(from, kept.start));
    await this.sink.remove(Math.max(until, kept.end), Infinity);
  }

  #worked() {
    this.#failures = 0;
    if (this.#problem?.name === OFFLINE) this.#problem = null;
  }

  #failed(error, { control, piece, name, from, until }) {
    if (this.#left.signal.aborted || (control.signal.aborted && !(error instanceof Problem))) return undefined;
    const { status } = error;
    if (status === 416) {
      this.#clips.clear(); // the clip has changed: some of it has expired
      this.#retryAt = performance.now() + RETRY_MS[0];
      return undefined;
    }
    if (error.code === "not-converted") return this.#fetched.add(from, until);
    if (!(error instanceof Problem)) {
      console.error(name, error);
      this.#problem = { name: UNPLAYABLE, why: "player.damaged", ...piece };
    } else if (error.code === "restricted") this.#problem = { name: GAP, why: "restricted", ...piece };
    else if (status === 404) this.#problem = { name: GAP, why: "withheld", ...piece };
    else if (error.code === "conversions") this.#problem = { name: OFFLINE, why: "player.conversions", start: -Infinity, end: Infinity };
    else this.#problem = { name: OFFLINE, why: status ? "problem.away" : "problem.offline", start: -Infinity, end: Infinity };
    const wait = this.#problem.name === OFFLINE ? RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)] : AGAIN_MS;
    this.#retryAt = performance.now() + wait;
    this.#failures += 1;
    return undefined;
  }

  /** What a decoder cannot take is left out; a new source takes what is wanted elsewhere. */
  #broken(error) {
    console.warn(error.message);
    const time = this.#asked?.time ?? 0;
    const mime = this.sink.mime;
    if (mime.includes("hvc1") && !this.#converts.has(mime)) this.#converts.add(mime);
    else this.#problem = { name: UNPLAYABLE, why: "player.damaged", start: time - NEAR_MS, end: time + NEAR_MS };
    this.#job?.control.abort();
    this.#fetched = new Fetched();
    this.sink.close();
  }
}

/** No answer, one that breaks off, one that does not go on: all the same to who looks. */
async function watched(control, work) {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    control.abort();
  }, STALL_MS);
  try {
    return await work();
  } catch (error) {
    throw late || error instanceof TypeError ? new Problem("offline", 0) : error;
  } finally {
    clearTimeout(timer);
  }
}
