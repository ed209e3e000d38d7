// Times as people read them, in the site's time zone. Milliseconds of UTC inside.

import { language } from "./words.js";

const dates = language === "fi" ? "fi-FI" : "en-GB";
const made = new Map();

/** For what belongs to no site: the one zone that all of this person's sites are in, else the browser's. */
export const ownZone = document.documentElement.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;

function formatter(locale, zone, options) {
  const key = `${locale} ${zone} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }));
  return made.get(key);
}

// Clock times with colons in both languages: that is how they are typed into the search box and burnt into pictures.
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
export const clock = (ms, zone) => formatter("en-GB", zone, CLOCK).format(ms);
export const clockMs = (ms, zone) => formatter("en-GB", zone, { ...CLOCK, fractionalSecondDigits: 3 }).format(ms);
export const clockMinutes = (ms, zone) => formatter("en-GB", zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
export const day = (ms, zone) => formatter(dates, zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(ms);
export const shortDay = (ms, zone) => formatter(dates, zone, { weekday: "short", day: "numeric", month: "numeric" }).format(ms);
export const full = (ms, zone) => `${formatter(dates, zone, { day: "numeric", month: "numeric", year: "numeric" }).format(ms)} ${clock(ms, zone)}`;

/** Of a month like 2026-11. */
export const monthText = (month) => formatter(dates, "UTC", { month: "long", year: "numeric" }).format(Date.parse(`${month}-01T00:00:00Z`));

/** Monday to Sunday, short and long. */
export const weekdays = () =>
  [5, 6, 7, 8, 9, 10, 11].map((number) => {
    const date = Date.UTC(2026, 0, number);
    return { short: formatter(dates, "UTC", { weekday: "short" }).format(date), long: formatter(dates, "UTC", { weekday: "long" }).format(date) };
  });

export function spanText(start, end, zone) {
  const first = `${shortDay(start, zone)} ${clock(start, zone)}`;
  const sameDay = shortDay(start, zone) === shortDay(end - 1, zone);
  return `${first}–${sameDay ? "" : `${shortDay(end, zone)} `}${clock(end, zone)}`;
}

export function lengthText(ms) {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
}

function offset(ms, zone) {
  const parts = formatter("en-US", zone, { year: "numeric", month: "numeric", day: "numeric", ...CLOCK }).formatToParts(ms);
  const part = (type) => Number(parts.find((each) => each.type === type).value);
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return wall - Math.floor(ms / 1000) * 1000;
}

/** For <input type="datetime-local">: 2026-11-22T06:31:04 in the zone. Back: what comes twice is the one nearer to ``near``. */
export const toField = (ms, zone) => new Date(ms + offset(ms, zone)).toISOString().slice(0, 19);

export function fromField(text, zone, near = undefined) {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return NaN;
  const guess = wall - offset(wall, zone);
  const found = wall - offset(guess, zone);
  if (near === undefined) return found;
  const half = 12 * 3600_000;
  const times = [wall - half, wall + half].map((ms) => wall - offset(ms, zone)).filter((ms) => toField(ms, zone) === toField(found, zone));
  return times.reduce((best, ms) => (Math.abs(ms - near) < Math.abs(best - near) ? ms : best), found);
}
