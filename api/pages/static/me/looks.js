// When and why staff looked at the member's data.

import { byId, el, show } from "../dom.js";
import { get } from "../server.js";
import { full, ownZone, spanText } from "../time.js";
import { t } from "../words.js";

let before = null;

function row(look) {
  const what = [t(`look.${look.kind}`), look.camera, look.start && spanText(Date.parse(look.start), Date.parse(look.end), ownZone)].filter(Boolean).join(" · ");
  return el("li", {}, el("p", {}, el("strong", {}, full(Date.parse(look.at), ownZone))), el("p", {}, what), el("p", { class: "soft" }, look.purpose ? t(`purpose.${look.purpose}`) : ""));
}

async function load() {
  show(byId("problem"), "");
  try {
    const page = await get("/v1/me/looks", before ? { before } : {});
    before = page.next;
    byId("list").append(...page.looks.map(row));
    byId("list").hidden = !byId("list").children.length;
    byId("none").hidden = Boolean(byId("list").children.length);
    byId("earlier").hidden = before === null;
  } catch (error) {
    show(byId("problem"), error.message);
  }
  byId("list").removeAttribute("aria-busy");
}

function recipient(each) {
  return el("li", {}, el("p", {}, el("strong", {}, each.name), ` · ${full(Date.parse(each.at), ownZone)}`), el("p", {}, each.what), el("p", { class: "soft" }, `${each.why} · ${t(`recipients.basis_${each.basis}`)}`));
}

async function loadRecipients() {
  try {
    const found = await get("/v1/me/recipients");
    byId("recipient-list").replaceChildren(...found.map(recipient));
    byId("no-recipients").hidden = Boolean(found.length);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

loadRecipients();
byId("earlier").addEventListener("click", load);
load();
