// Beside the pictures: the event that was opened, what the doors reported around it, and what footage is missing.

import { byId, el } from "../dom.js";
import { badges, who } from "../events.js";
import { iso } from "../server.js";
import { clock, full, lengthText, spanText } from "../time.js";
import { t } from "../words.js";

const BRIEF_MS = 1000; // shorter gaps are on the timeline; in the list they would hide the others

export function showHeadline({ event, visit }, zone) {
  const at = Date.parse(event.occurred);
  byId("headline").textContent = `${who(event.member)} · ${event.door} · ${clock(at, zone)}`;
  document.title = `${clock(at, zone)} ${event.door} – Tallenne`;
  const facts = [
    [t("player.member"), event.member?.name ? el("a", { href: `/members/${event.member.member_id}`, title: t("one_member.all") }, event.member.name) : who(event.member)],
    event.member?.number ? [t("player.number"), event.member.number] : null,
    [t("player.door"), event.door],
    [t("player.site"), event.site],
    [t("player.when"), full(at, zone)],
    visit ? [t("player.visit"), visit.end ? spanText(Date.parse(visit.start), Date.parse(visit.end), zone) : `${clock(Date.parse(visit.start), zone)}– (${t("player.still_inside")})`] : null,
  ];
  byId("facts").replaceChildren(...facts.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  byId("about").querySelector(".badges")?.remove();
  byId("facts").after(el("p", { class: "badges" }, ...badges(event, [event.kind])));
  byId("about").hidden = false;
}

export function listEvents(events, zone, seek) {
  byId("no-events").hidden = events.length > 0;
  byId("events").replaceChildren(...events.map((event) => el("li", { data: { event: event.event_id } }, eventButton(event, zone, seek))));
}

const eventButton = (event, zone, seek) =>
  el(
    "button",
    { type: "button", onclick: () => seek(event.time) },
    el("time", { datetime: event.occurred }, clock(event.time, zone)),
    el("span", {}, who(event.member), el("span", { class: "soft" }, event.door)),
    el("span", { class: "badges" }, ...badges(event, [event.kind])),
  );

/** The event of the moment is marked in the list, and scrolled to. */
export function markEvent(current) {
  const list = byId("events");
  for (const item of list.children) {
    if (current && item.dataset.event === current.event_id) {
      item.setAttribute("aria-current", "true");
      list.scrollTop = item.offsetTop - list.offsetTop - list.clientHeight / 2;
    } else item.removeAttribute("aria-current");
  }
}

export function listGaps(tiles, zone, seek) {
  const gaps = tiles.flatMap((tile) => tile.gaps.filter((gap) => gap.cause !== "before").map((gap) => ({ ...gap, name: tile.name })));
  gaps.sort((one, other) => one.start - other.start);
  const long = gaps.filter((gap) => gap.end - gap.start >= BRIEF_MS);
  const brief = gaps.length - long.length;
  byId("missing").hidden = !gaps.length;
  byId("gaps").replaceChildren(
    ...long.map((gap) => el("li", {}, gapButton(gap, zone, seek))),
    brief ? el("li", { class: "soft" }, brief === 1 ? t("player.brief_gaps_one") : t("player.brief_gaps", { count: brief })) : "",
  );
}

const gapButton = (gap, zone, seek) =>
  el(
    "button",
    { type: "button", onclick: () => seek(gap.start) },
    el("time", { datetime: iso(gap.start) }, clock(gap.start, zone)),
    el("span", {}, gap.name, el("span", { class: "soft" }, t(`gap.${gap.cause}`))),
    el("span", { class: "soft" }, lengthText(gap.end - gap.start)),
  );
