// Members' requests: what is due first before others, and those that have ended.

import { byId, el, show } from "./dom.js";
import { get } from "./server.js";
import { ownZone, shortDay } from "./time.js";
import { t } from "./words.js";

const SOON_DAYS = 7;

/** Which day it is due, and how it stands. */
export function dueText(each) {
  const day = shortDay(Date.parse(each.due), ownZone);
  if (!each.open) return el("span", { class: "badge" }, t(`requests.state_${each.state}`));
  if (each.late) return el("span", { class: "badge bad" }, t("requests.late", { day }));
  return el("span", { class: `badge ${each.days_left < SOON_DAYS ? "warn" : "good"}` }, t("requests.due", { day, count: each.days_left }));
}

function card(each) {
  const soft = (text) => el("span", { class: "soft" }, text);
  return el(
    "li",
    { data: { request: each.request_id, state: each.state } },
    el("span", { class: "row" }, el("a", { href: `/requests/${each.request_id}` }, el("strong", {}, t(`requests.kind_${each.kind}`))), dueText(each)),
    soft(each.name ? `${each.name}, ${each.number}` : t("member.erased")),
    soft(t("requests.came", { day: shortDay(Date.parse(each.received), ownZone), channel: t(`requests.channel_${each.channel}`) })),
    each.state === "received" ? el("span", { class: "problem" }, t("requests.unchecked")) : null,
  );
}

async function load() {
  try {
    const found = await get("/v1/requests");
    byId("requests").replaceChildren(...found.map(card));
    byId("none").hidden = found.length > 0;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

if (byId("requests")) {
  byId("ended").addEventListener("toggle", async () => {
    if (!byId("ended").open) return;
    try {
      byId("ended-requests").replaceChildren(...(await get("/v1/requests", { ended: true })).map(card));
    } catch (error) {
      show(byId("problem"), error.message);
    }
  });
  load();
}
