// What a search is narrowed to by pressing: kinds of events, minors, a site, a door, a camera. And what is wrong today.

import { byId, el } from "../dom.js";
import { get } from "../server.js";
import { t } from "../words.js";

const pressed = (name) => byId("filters").querySelector(`[data-filter=${name}]`);
const chips = () => [...byId("filters").querySelectorAll("[data-filter]")];
const PLACES = ["site", "door", "camera"];
const KINDS = new Set(["denied", "held_open", "forced_open", "not_entered"]);

/** The filters as a query, in the order of [name, value]. */
export function chosen() {
  const on = chips().filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.filter);
  const places = PLACES.map((name) => [name, byId(name).value]).filter(([, value]) => value);
  return [...on.map((name) => (KINDS.has(name) ? ["kind", name] : [name, "true"])), ...places];
}

/** Sets them to such a query. */
export function choose(query) {
  const on = new Set(query.map(([name, value]) => (name === "kind" ? value : name)));
  for (const chip of chips()) chip.ariaPressed = String(on.has(chip.dataset.filter));
  for (const name of PLACES) byId(name).value = query.find(([each]) => each === name)?.[1] ?? "";
  byId("all").hidden = !query.length;
}

/** Fills the lists, then calls ``changed`` with every press. */
export async function offer(changed) {
  const told = () => {
    byId("all").hidden = !chosen().length;
    changed();
  };
  for (const chip of chips()) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = String(chip.ariaPressed !== "true");
      told();
    });
  }
  byId("all").addEventListener("click", () => {
    choose([]);
    told();
  });
  for (const name of PLACES) byId(name).addEventListener("change", told);
  const lists = await Promise.all(["sites", "doors", "cameras"].map((name) => get(`/v1/${name}`))).catch(() => [[], [], []]);
  const many = lists[0].length > 1;
  const siteOf = new Map(lists[0].map((site) => [site.site_id, site.name]));
  PLACES.forEach((name, index) => {
    const label = (each) => (name !== "site" && many ? `${each.name} · ${siteOf.get(each.site_id)}` : each.name);
    const options = lists[index].map((each) => el("option", { value: each[`${name}_id`] }, label(each)));
    options.sort((a, b) => a.text.localeCompare(b.text, document.documentElement.lang, { numeric: true }));
    byId(name).append(...options);
    byId(name).hidden = options.length < 2;
  });
}

/** Says what today brought that wants a look; a press calls ``ask`` with it. */
export async function offerToday(ask) {
  const counts = await get("/v1/find/today").catch(() => null);
  if (!counts) return;
  const found = Object.entries(counts).filter(([, count]) => count);
  const press = (name) => () => {
    choose(KINDS.has(name) ? [["kind", name]] : [[name, "true"]]);
    ask(t("find.today_word"));
  };
  const chip = ([name, count]) =>
    el("button", { type: "button", class: `chip ${name === "forced_open" ? "bad" : "warn"}`, onclick: press(name) }, el("strong", {}, String(count)), pressed(name).textContent);
  byId("today").replaceChildren(el("span", {}, t(found.length ? "find.today" : "find.today_nothing")), ...found.map(chip));
}
