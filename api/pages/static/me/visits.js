// The member's visits: which door their credential opened, and when. A month at a time.

import { byId, el, show } from "../dom.js";
import { get } from "../server.js";
import { clock, day } from "../time.js";
import { t } from "../words.js";

let until = null;

function row(visit) {
  const [start, end] = [Date.parse(visit.start), visit.end && Date.parse(visit.end)];
  const opened = t("me.opened", { door: visit.door, time: clock(start, visit.time_zone) });
  const left = end ? t("me.way_out", { door: visit.end_door ?? "", time: clock(end, visit.time_zone) }) : t("me.no_way_out");
  return el("li", {}, el("p", {}, el("strong", {}, day(start, visit.time_zone))), el("p", {}, opened), el("p", { class: "soft" }, `${left} · ${visit.site}`));
}

async function load() {
  show(byId("problem"), "");
  try {
    const page = await get("/v1/me/visits", until ? { until } : {});
    until = page.start;
    byId("visits").append(...page.visits.map(row));
    byId("visits").hidden = !byId("visits").children.length;
    byId("earlier").hidden = !page.earlier;
    show(byId("none"), byId("visits").children.length ? "" : t(page.earlier ? "me.no_visits_lately" : "me.no_visits"));
  } catch (error) {
    show(byId("problem"), error.message);
  }
  byId("visits").removeAttribute("aria-busy");
}

byId("earlier").addEventListener("click", load);
load();
