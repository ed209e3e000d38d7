// The one search box. What was typed stays in this tab only, never in the address: it may be a name.

import { byId, el, show, takeForm } from "./dom.js";
import { kindText } from "./events.js";
import { choose, chosen, offer, offerToday } from "./find/filters.js";
import { append } from "./find/rows.js";
import { playAll } from "./playlist.js";
import { get } from "./server.js";
import { shortcuts } from "./shortcuts.js";
import { spanText } from "./time.js";
import { t } from "./words.js";

const KEPT = "tallenne.query";
const PAGE = 60; // events
const MOST = 200;
const query = byId("query");
const results = byId("results");
const older = byId("older");
const { purpose } = document.documentElement.dataset; // what was typed for another one, or by another, is not asked again
let asking = null;
let list = { asked: [], next: null, hits: 0, events: 0, first: null };

/** limit: as many events as were shown when one left. */
async function search(text, limit = PAGE) {
  show(byId("problem"), "");
  byId("members").hidden = true;
  results.replaceChildren();
  older.hidden = byId("play-all").hidden = true;
  const filters = chosen();
  list = { asked: [...(text.trim() ? [["query", text]] : []), ...filters], next: null, hits: 0, events: limit, first: null };
  byId("today").hidden = list.asked.length > 0;
  byId("understood").textContent = t("find.searching");
  const found = await ask(limit === PAGE ? [] : [["limit", limit]]);
  if (!found) return;
  renderMembers(found.members, found.understood.words);
  if (found.hits.length) append(results, found.hits);
  else results.replaceChildren(nothing(found));
}

/** Asks for a page of the list and says how much of it is there. Nothing: it failed, or another question came. */
async function ask(more) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const found = await get("/v1/find", [...list.asked, ...more], signal);
    list.next = found.next;
    list.hits += found.hits.length;
    list.first ??= found.hits[0]?.event_id;
    byId("play-all").hidden = !list.first;
    older.hidden = !found.next;
    byId("understood").textContent = understood(found);
    keep();
    return found;
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return null;
    if (!list.hits) byId("understood").textContent = "";
    show(byId("problem"), error.message);
    return null;
  }
}

function keep() {
  const [first, ...rest] = list.asked;
  const [text, filters] = first?.[0] === "query" ? [first[1], rest] : ["", list.asked];
  sessionStorage.setItem(KEPT, JSON.stringify({ purpose, text, filters, events: list.events, scroll: Math.round(scrollY) }));
}

older.addEventListener("click", async () => {
  older.disabled = true;
  const found = await ask([["cursor", list.next]]);
  older.disabled = false;
  if (!found) return;
  list.events += PAGE;
  keep();
  append(results, found.hits)?.querySelector("a").focus();
});

function understood({ understood: { span, time_zone: zone, doors, words, left_out: leftOut, kinds, minors, close }, next, more }) {
  const count = next ? t("find.count_first", { count: list.hits }) : list.hits === 1 ? t("find.count_one") : t("find.count", { count: list.hits });
  if (!list.asked.length) return list.hits ? t("find.latest") : count;
  const parts = [count, ...kinds.map((kind) => kindText([kind]))];
  if (minors) parts.push(t("find.minors"));
  if (close) parts.push(t("find.close_filter"));
  if (words) parts.push(t("find.words", { words }));
  if (doors.length) parts.push(doors.join(", "));
  parts.push(span ? spanText(Date.parse(span.start), Date.parse(span.end), zone) : t("find.last_month"));
  if (leftOut) parts.push(t("find.left_out", { words: leftOut }));
  if (more) parts.push(t("find.more"));
  return parts.join(" · ");
}

const fold = (word) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const bare = (word) => fold(word).replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

// The words that were taken for a name give way to the number; time and door stay. The words come folded: "åsa" as "asa".
function instead(text, words, number) {
  const names = new Set(words.split(" ").map(bare));
  const all = text.split(/\s+/).filter(Boolean);
  const rest = all.filter((word) => !names.has(bare(word)));
  return rest.length < all.length ? [number, ...rest].join(" ") : number;
}

function renderMembers(members, words) {
  const place = byId("members");
  place.hidden = !members.length;
  if (members.length === 1) place.replaceChildren(el("a", { class: "chip", href: `/members/${members[0].member_id}` }, t("one_member.all_of", { name: members[0].name })));
  if (members.length < 2) return;
  const pick = (member) => () => {
    query.value = instead(query.value, words, member.number);
    query.form.requestSubmit();
  };
  place.replaceChildren(
    el("span", { class: "soft" }, t("find.several")),
    ...members.map((member) =>
      el("button", { type: "button", class: "chip", title: t("find.only", { name: member.name }), onclick: pick(member) }, `${member.name} · ${member.number}`),
    ),
  );
}

function nothing({ understood: { span, doors, words }, members }) {
  const unknown = words && !members.length;
  const title = unknown ? t("find.unknown_words", { words }) : t(list.asked.length ? "find.nothing" : "find.nothing_yet");
  const box = el("div", { class: "empty" }, el("strong", {}, title), list.asked.length ? t("find.nothing_help") : "");
  if (unknown && (span || doors.length)) {
    const without = () => {
      const names = new Set(words.split(" "));
      query.value = query.value.split(/\s+/).filter((word) => !names.has(bare(word)) && !names.has(fold(word))).join(" ");
      query.form.requestSubmit();
    };
    box.append(el("br"), el("button", { type: "button", onclick: without }, t("find.without", { words })));
  }
  if (span && !unknown) {
    const widen = () => {
      const rest = query.value.match(/\d{1,2}[:.]\d{2}/)?.[0];
      if (!rest) return;
      query.value = query.value.replace(rest, `~${rest}`).replace("~", t("language") === "Kieli" ? "noin " : "about ");
      query.form.requestSubmit();
    };
    if (/\d{1,2}[:.]\d{2}/.test(query.value) && !/noin|about|-/.test(query.value)) {
      box.append(el("br"), el("button", { type: "button", onclick: widen }, t("find.widen")));
    }
  }
  return box;
}

byId("play-all").addEventListener("click", () => playAll(list));

takeForm(query.form, () => search(query.value));

// Of the examples those that find something now, and what the last event gives. Without any there are none.
async function offerExamples() {
  const hints = byId("hints");
  const chips = [...hints.querySelectorAll("[data-query]")];
  const asked = chips.map((chip) => ["query", chip.dataset.query]);
  const { examples } = await get("/v1/find/examples", asked).catch(() => ({ examples: [] }));
  chips.forEach((chip) => chip.remove());
  hints.append(...examples.map(example));
  hints.hidden = !examples.length;
}

function example(text) {
  const search = () => {
    query.value = text;
    query.form.requestSubmit();
    query.focus();
  };
  return el("button", { type: "button", class: "chip", onclick: search }, text);
}

document.addEventListener("keydown", (event) => {
  const links = [...results.querySelectorAll("a.hit")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "/" && document.activeElement !== query && shortcuts()) {
    event.preventDefault();
    query.focus();
    query.select();
  } else if (event.key === "ArrowDown" && links.length) {
    event.preventDefault();
    links[Math.min(at + 1, links.length - 1)].focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (at === 0 ? query : links[at - 1]).focus();
  } else if (event.key === "Escape" && at >= 0) {
    query.focus();
  }
});

const offered = [
  offerExamples(),
  offerToday((text) => {
    query.value = text;
    query.form.requestSubmit();
  }),
];
offer(() => search(query.value)).then(async () => {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const mine = kept?.purpose === purpose && !query.value;
  if (!mine) sessionStorage.removeItem(KEPT);
  else query.value = kept.text;
  if (mine) choose(kept.filters);
  if (query.value) query.select();
  await search(query.value, mine ? Math.min(kept.events, MOST) : PAGE);
  await Promise.all(offered); // they stand above the list
  if (mine) scrollTo(0, kept.scroll);
});
addEventListener("pagehide", keep);
