// The banner of every page: what is raised now, for how long, and, to administrators, what to do.

import { byId, el, icon } from "./dom.js";
import { clock, lengthText, ownZone, shortDay } from "./time.js";
import { t } from "./words.js";

const EVERY_MS = 15_000;
const UNKNOWN_MS = 3 * EVERY_MS; // older than three periods is not known any more
const banner = byId("alarms");
const said = byId("alarms-said"); // announced when what is raised changes, not at every minute of its age
let heard = performance.now();

/** null: this page cannot ask any more, since the session has ended. Not through server.js: a failure here does not send the person away from the page. */
async function ask() {
  const answer = await fetch("/v1/alarms", { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

async function look() {
  try {
    const found = await ask();
    if (found === null) return;
    heard = performance.now();
    draw(found);
  } catch {
    if (performance.now() - heard >= UNKNOWN_MS) fill([line(t("alarms.unknown"), "")], t("alarms.unknown"), true);
  }
  setTimeout(look, EVERY_MS);
}

function draw({ now, watched, silent_since: silent, raised }) {
  if (!watched) {
    const text = silent ? t("alarms.unwatched_since", { time: when(Date.parse(silent)) }) : t("alarms.unwatched");
    fill([line(text, "")], text, true);
    return;
  }
  const lines = raised.map((kind) => line(words(kind), t("alarms.for", { time: lengthText(wholeSeconds(Date.parse(now) - Date.parse(kind.since))) })));
  const details = raised.flatMap((kind) => kind.conditions);
  if (details.length) lines.push(el("li", {}, remedies(details)));
  fill(lines, raised.map(words).join(". "), raised.some((kind) => kind.urgent));
}

const wholeSeconds = (ms) => Math.max(0, Math.round(ms / 1000) * 1000);
const words = (kind) => t(`alarm.${kind.kind}`, { count: kind.count });
const when = (ms) => `${shortDay(ms, ownZone)} ${clock(ms, ownZone)}`;
const line = (text, age) => el("li", {}, el("strong", {}, text), age ? el("span", { class: "age" }, ` ${age}`) : null);

function remedies(conditions) {
  const open = banner.querySelector("details")?.open ?? false;
  const list = el("ul", {}, ...conditions.map((one) => el("li", {}, `${one.what} `, el("span", { class: "soft" }, one.remedy))));
  const details = el("details", {}, el("summary", {}, t("alarms.details")), list);
  details.open = open;
  return details;
}

function fill(lines, text, urgent) {
  const focused = banner.contains(document.activeElement);
  banner.classList.toggle("urgent", urgent);
  banner.replaceChildren(...(lines.length ? [icon("warning"), el("ul", {}, ...lines)] : []));
  banner.hidden = !lines.length;
  if (focused) banner.querySelector("summary")?.focus();
  if (said.textContent !== text) said.textContent = text;
}

// Pictures leave room for the banner, so that what is below them stays on the screen.
new ResizeObserver(() => document.documentElement.style.setProperty("--banner", `${banner.offsetHeight}px`)).observe(banner);
look();
