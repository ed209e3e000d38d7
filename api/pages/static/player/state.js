// What a camera's place on the page shows, decided from what is known. Pure: no clock, no elements.

export const BLANK = "blank"; // nothing is known of the time yet
export const LOADING = "loading"; // its picture is on the way
export const SHOWN = "shown"; // the picture of the time
export const GAP = "gap"; // there is no footage of the time
export const OFFLINE = "offline"; // it cannot be fetched now
export const UNPLAYABLE = "unplayable"; // this browser cannot show it

const ENOUGH_MS = 1000; // so much is fetched ahead before a picture moves again
const DISPLAY_MS = 40; // a screen may show a picture so much after it was due
const DRIFT_MS = 150; // a picture that moves may be so late before it is brought back in step
const INTERVAL_MAX_MS = 200;
const PATIENCE_MS = 8000;
const PENDING_MS = 15_000; // footage that is on its way is usually there by then
const PENDING = "pending";

/**
 * What a camera's timeline says of a time: {kind: "run" or "gap" or "unknown", start, end, cause}.
 *
 * timeline: {footage, gaps, start, end}, the last two of what was asked for; null before the first answer.
 */
export function groundAt(time, timeline, now) {
  if (!timeline || time < timeline.start || time >= timeline.end) return { kind: "unknown" };
  const holds = (span) => span.start <= time && time < span.end;
  const run = timeline.footage.find(holds);
  if (run) return { kind: "run", start: run.start, end: run.end };
  const gap = timeline.gaps.find(holds);
  if (gap) return { kind: "gap", cause: gap.cause, start: gap.start, end: gap.end };
  const told = Math.max(timeline.start, ...[...timeline.footage, ...timeline.gaps].map((span) => span.end));
  if (time < told) return { kind: "gap", cause: "" };
  return { kind: "gap", cause: time > now ? "future" : PENDING };
}

/** How far a picture that moves may be off: by an interval, and by what decoders and screens take. */
export function slack(frame, rate, shown) {
  return Math.min(frame.end - frame.start, INTERVAL_MAX_MS) + (shown ? DRIFT_MS : DISPLAY_MS) * Math.max(1, rate);
}

/** Whether a picture is that of the time; frame: its interval [start, end). rate: 0 when paused. */
export function inStep(frame, time, rate, shown) {
  if (frame.start <= time && time < frame.end) return true;
  const off = time < frame.start ? frame.start - time : time - frame.end;
  return rate > 0 && off <= slack(frame, rate, shown);
}

/**
 * The next state, {name, why, waits}; waits: the time ought not to go on without this camera.
 *
 * was: the state before. ground: from groundAt(). problem: null, or a state with its reason from whatever fetches.
 * frame: the interval of the picture that is presented now, or null. ahead: ms of footage that are here from the time on.
 * rate: 0 when paused.
 */
export function decide(was, { time, ground, problem, frame, ahead, rate }) {
  if (ground.kind === "gap") return { name: GAP, why: ground.cause, waits: ground.cause === PENDING && rate > 0 };
  if (ground.kind === "unknown") return problem?.name === OFFLINE ? { ...problem, waits: true } : { name: BLANK, why: "", waits: true };
  if (problem?.name === UNPLAYABLE) return { ...problem, waits: false };
  if (frame && inStep(frame, time, rate, was.name === SHOWN)) {
    return { name: SHOWN, why: "", waits: rate > 0 && ahead < (was.waits ? ENOUGH_MS * rate : 1) };
  }
  if (problem) return { ...problem, waits: problem.name === OFFLINE };
  return { name: LOADING, why: "", waits: true };
}

/**
 * Whether the time stands still for these: for one that waits, but not for long when another one shows its picture, nor
 * when its footage is on its way: it may have been lost.
 */
export function stands(cameras, now) {
  const late = cameras.filter((camera) => camera.state.waits && (camera.state.why !== PENDING || isAwaited(camera, now)));
  if (!cameras.some((camera) => camera.state.name === SHOWN)) return late.length > 0;
  return late.some((camera) => isAwaited(camera, now));
}

export const isAwaited = ({ state, waitsSince }, now) => waitsSince !== null && now - waitsSince < (state.why === PENDING ? PENDING_MS : PATIENCE_MS);
