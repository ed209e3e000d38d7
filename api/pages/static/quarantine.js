// What was set aside: how much of what, and since when. Never the contents.

import { byId, el, show } from "./dom.js";
import { get } from "./server.js";
import { full, ownZone } from "./time.js";
import { t } from "./words.js";

const zone = ownZone;
const when = (at) => el("td", {}, el("time", { datetime: at }, full(Date.parse(at), zone)));
let next = null;

async function load(cursor) {
  show(byId("problem"), "");
  const query = { waiting_only: !byId("replayed").checked };
  if (cursor) query.cursor = cursor;
  try {
    const page = await get("/v1/quarantine", query);
    const rows = page.messages.map((message) =>
      el("tr", {}, when(message.received), el("td", {}, el("code", { class: "wrap" }, message.topic)), el("td", {}, message.reason, message.replayed ? el("span", { class: "badge good" }, t("quarantine.replayed")) : null), el("td", { class: "number" }, `${message.seen} ×`)),
    );
    if (cursor) byId("messages").append(...rows);
    else byId("messages").replaceChildren(...rows);
    byId("reasons").replaceChildren(...page.reasons.map((reason) => el("li", {}, el("strong", {}, reason.reason), el("span", { class: "soft" }, t("quarantine.count", { messages: reason.messages, seen: reason.seen })))));
    byId("objects").replaceChildren(...page.objects.map((object) => el("tr", {}, when(object.found), el("td", {}, el("code", { class: "wrap" }, object.object_name)), el("td", {}, object.reason))));
    byId("messages-part").hidden = !byId("messages").children.length;
    byId("objects-part").hidden = !page.objects.length;
    byId("empty").hidden = byId("messages").children.length + page.objects.length > 0;
    next = page.next;
    byId("older").hidden = next === null;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

byId("replayed").addEventListener("change", () => load(null));
byId("older").addEventListener("click", () => load(next));
load(null);
