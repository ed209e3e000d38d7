// How a clip of a list goes on: where its footage continues, whether it is over, and why it showed nothing. Pure; ms of UTC.

import { GAP, UNPLAYABLE } from "./state.js";

/** The key of the words for a camera's state that shows nothing. */
const wordsOf = ({ name, why }) => {
  if (name !== GAP) return why;
  if (why === "future") return "player.future";
  return why === "withheld" ? "gap.expired" : why ? `gap.${why}` : "gap.title";
};

/**
 * What comes of a clip at a time: {seek: to where its footage goes on}, {over: true, why} or null: it goes on.
 *
 * clip: {start, end}. cameras: [{state, footage}]. why: the key of the reason why none shows anything; "" at the clip's end.
 */
export function course(now, clip, cameras) {
  if (now >= clip.end) return { over: true, why: "" };
  if (!cameras.length) return { over: true, why: "player.no_cameras" };
  if (!cameras.every(({ state }) => state.name === GAP || state.name === UNPLAYABLE)) return null;
  const starts = cameras.filter(({ state }) => state.name === GAP).flatMap(({ footage }) => footage.map(({ start }) => start));
  const next = Math.min(...starts.filter((start) => start > now && start < clip.end));
  return Number.isFinite(next) ? { seek: next } : { over: true, why: wordsOf(cameras[0].state) };
}

/** Why there is nothing to show of an event's cameras, by what is known of them: the key of the words, or "": there is footage. */
export function missing(cameras) {
  if (!cameras.length) return "player.no_cameras";
  if (cameras.some(({ footage }) => footage.length)) return "";
  const gap = cameras.flatMap(({ gaps }) => gaps).find(({ cause }) => cause);
  return gap ? `gap.${gap.cause}` : Date.parse(cameras[0].end) > Date.now() ? "player.future" : "gap.title";
}
