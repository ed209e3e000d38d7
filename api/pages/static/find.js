// The one search box. What was typed stays in this tab only, never in the address: it may be a name.

import { byId, el, icon, show, takeForm } from "./dom.js";
import { badges, who } from "./events.js";
import { get } from "./server.js";
import { shortcuts } from "./shortcuts.js";
import { clock, day, spanText } from "./time.js";
import { t } from "./words.js";

const KEPT = "tallenne.query";
const query = byId("query");
const results = byId("results");
const { purpose } = document.documentElement.dataset; // what was typed for another one, or by another, is not asked again
let asking = null;

async function search(text) {
  asking?.abort();
  asking = new AbortController();
  show(byId("problem"), "");
  byId("members").hidden = true;
  results.replaceChildren();
  sessionStorage.setItem(KEPT, JSON.stringify({ purpose, text }));
  if (!text.trim()) {
    byId("understood").textContent = "";
    return;
  }
  byId("understood").textContent = t("find.searching");
  try {
    render(await get("/v1/find", { query: text }, asking.signal));
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("understood").textContent = "";
    show(byId("problem"), error.message);
  }
}

function render(found) {
  byId("understood").textContent = understood(found);
  renderMembers(found.members, found.understood.words);
  if (!found.hits.length) {
    results.replaceChildren(nothing(found));
    return;
  }
  const days = new Map();
  for (const hit of found.hits) {
    const label = day(Date.parse(hit.occurred), hit.time_zone);
    if (!days.has(label)) days.set(label, []);
    days.get(label).push(row(hit));
  }
  results.replaceChildren(...[...days].map(([label, rows]) => el("section", {}, el("h2", {}, label), el("ol", {}, ...rows))));
  if (found.more) results.append(el("p", { class: "empty" }, t("find.more")));
}

function understood({ understood: { span, time_zone: zone, doors, words, left_out: leftOut }, hits }) {
  const parts = [hits.length === 1 ? t("find.count_one") : t("find.count", { count: hits.length })];
  if (words) parts.push(t("find.words", { words }));
  if (doors.length) parts.push(doors.join(", "));
  parts.push(span ? spanText(Date.parse(span.start), Date.parse(span.end), zone) : t("find.last_month"));
  if (leftOut) parts.push(t("find.left_out", { words: leftOut }));
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
  place.hidden = members.length < 2;
  if (place.hidden) return;
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

function row(hit) {
  const at = Date.parse(hit.occurred);
  const withFootage = hit.cameras.filter((camera) => camera.segments !== 0).length;
  const footage = !hit.cameras.length
    ? t("find.no_cameras")
    : !withFootage
      ? t("find.no_footage")
      : withFootage === 1
        ? t("find.footage_one")
        : t("find.footage", { count: withFootage });
  return el(
    "li",
    {},
    el(
      "a",
      { class: "hit", href: `/visit/${hit.event_id}` },
      picture(hit.cameras.find((camera) => camera.segments !== 0)),
      el("time", { datetime: hit.occurred }, clock(at, hit.time_zone)),
      el(
        "span",
        {},
        el("span", { class: "name" }, who(hit.member)),
        el("span", { class: "soft" }, `${hit.member?.number ? ` ${hit.member.number}` : ""}`),
        el("br"),
        el("span", { class: "soft" }, `${hit.door} · ${hit.site}`),
      ),
      el("span", { class: "badges" }, ...badges(hit, hit.kinds)),
      el("span", { class: "where soft", title: hit.cameras.map((camera) => camera.name).join(", ") }, withFootage ? icon("film") : null, footage),
    ),
  );
}

/** Loaded when it comes into sight: each is a look on record. */
function picture(camera) {
  const place = el("span", { class: "thumbnail" }, icon("film"));
  if (camera) {
    const image = el("img", { alt: "", loading: "lazy", width: 128, height: 72, onload: () => place.classList.add("shown"), onerror: () => image.remove() });
    image.src = camera.thumbnail;
    place.prepend(image);
  }
  return place;
}

function nothing({ understood: { span, doors, words }, members }) {
  const unknown = words && !members.length;
  const box = el("div", { class: "empty" }, el("strong", {}, unknown ? t("find.unknown_words", { words }) : t("find.nothing")), t("find.nothing_help"));
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

offerExamples();

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

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
if (kept?.text && kept.purpose === purpose) {
  query.value = kept.text;
  query.select();
  search(kept.text);
} else {
  sessionStorage.removeItem(KEPT);
}
