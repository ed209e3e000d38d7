// What is kept of each camera and until when, what waits for an operator, what has ended. It only shows.

import { byId, el, show } from "./dom.js";
import { get } from "./server.js";
import { full, ownZone } from "./time.js";
import { t } from "./words.js";

const when = (at) => el("td", {}, at ? el("time", { datetime: at }, full(Date.parse(at), ownZone)) : "–");
const number = (value) => el("td", { class: "number" }, String(value));

function camera(one) {
  const badges = [
    one.removed ? el("span", { class: "badge" }, t("retention.removed")) : null,
    one.overdue_hours ? el("span", { class: "badge bad" }, t("retention.overdue", { hours: one.overdue_hours })) : null,
  ];
  const name = el("td", {}, `${one.site} / ${one.camera} `, ...badges);
  const keptFor = number(t("retention.for_hours", { hours: one.retention_h }));
  return el("tr", {}, name, keptFor, number(one.camera_hours), when(one.oldest), when(one.next_expiry), when(one.last_expiry));
}

function certificate(one) {
  const decided = el("td", {}, t(one.kind === "erasure" ? "retention.by_two" : one.confirmed ? "retention.by_operator" : "retention.by_itself"));
  return el("tr", {}, number(one.number), when(one.issued), number(one.camera_hours), number(one.segments), decided);
}

async function load() {
  show(byId("problem"), "");
  try {
    const page = await get("/v1/retention");
    byId("waiting").replaceChildren(...page.waiting.map((one) => el("li", {}, el("strong", {}, one.what), el("span", { class: "soft" }, one.remedy))));
    byId("cameras").replaceChildren(...page.cameras.map(camera));
    byId("certificates").replaceChildren(...page.certificates.map(certificate));
    byId("certificates-part").hidden = !page.certificates.length;
    byId("totals").textContent = t("retention.totals", { expired: page.expired_camera_hours, waiting: page.to_remove_camera_hours });
    if (!page.known) show(byId("problem"), t("retention.unknown"));
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

load();
