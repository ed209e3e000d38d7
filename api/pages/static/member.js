// One member: every visit with its passages and clips, and what was refused between visits.

import { byId, el, show } from "./dom.js";
import { row } from "./find/rows.js";
import { playAll } from "./playlist.js";
import { get, iso } from "./server.js";
import { clock, day, lengthText } from "./time.js";
import { t } from "./words.js";

const DAY_MS = 86_400_000;
const AT_ONCE_MS = 400 * DAY_MS; // the most that is answered at once
const { member } = byId("member").dataset;
let next = null;
let hits = [];

async function load() {
  show(byId("problem"), "");
  try {
    const found = await get("/v1/find", [["member", member], ...(next ? [["cursor", next]] : [])]);
    if (!hits.length) title(found.members[0]);
    hits = [...hits, ...found.hits];
    next = found.next;
    byId("older").hidden = !next;
    byId("play-all").hidden = !hits.length;
    draw(hits.length ? await visits() : []);
  } catch (error) {
    byId("understood").textContent = "";
    show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
  }
}

function title(found) {
  byId("name").textContent = found.name ?? t("member.erased");
  byId("number").textContent = found.number ?? "";
  byId("minor").hidden = !found.minor;
  document.title = `${found.name} – Tallenne`;
}

/** The visits that the passages on the page belong to, the newest first. */
async function visits() {
  const start = Math.max(Date.parse(hits.at(-1).occurred), Date.now() - AT_ONCE_MS + DAY_MS);
  const found = await get(`/v1/members/${member}/visits`, { start: iso(start), end: iso(Date.now() + DAY_MS / 24) });
  return found.map((visit) => ({ ...visit, from: Date.parse(visit.start), to: visit.end ? Date.parse(visit.end) : Infinity })).reverse();
}

function draw(stays) {
  byId("understood").textContent = !hits.length ? t("find.nothing") : [count("one_member.visits", stays.length), count("find.count", hits.length)].join(" · ");
  const groups = [];
  for (const hit of hits) {
    const at = Date.parse(hit.occurred);
    const stay = stays.find((each) => each.site_id === hit.site_id && each.from <= at && at <= each.to);
    const title = stay ? heading(stay) : t(stays.length ? "one_member.no_visit" : "one_member.day", { day: day(at, hit.time_zone) });
    if (groups.at(-1)?.title !== title) groups.push({ title, rows: [] });
    groups.at(-1).rows.push(row(hit));
  }
  byId("results").replaceChildren(...groups.map(({ title, rows }) => el("section", {}, el("h2", {}, title), el("ol", {}, ...rows))));
}

const count = (key, number) => (number === 1 ? t(`${key}_one`) : t(key, { count: number }));

function heading({ from, to, site, time_zone: zone }) {
  const left = to < Infinity ? `${clock(to, zone)} · ${lengthText(to - from)}` : t("player.still_inside");
  return `${day(from, zone)} ${clock(from, zone)}–${left} · ${site}`;
}

byId("older").addEventListener("click", load);
byId("play-all").addEventListener("click", () => playAll({ asked: [["member", member]], events: hits.length, first: hits[0].event_id }));
load();
