// The copy of a member's data for people: a section for each kind, printed or saved as PDF by the browser.

import { byId, el, show } from "./dom.js";
import { get } from "./server.js";
import { withCode } from "./step_up.js";
import { full, ownZone } from "./time.js";
import { has, t } from "./words.js";

const time = (text) => (text ? full(Date.parse(text), ownZone) : "–");
const word = (key, value) => (has(`${key}.${value}`) ? t(`${key}.${value}`) : (value ?? "–"));

// Of each part of the copy: its columns, each with how a value reads.
const PARTS = {
  register: { field: (each) => t(`field.${each.field}`), value: (each) => each.value || t("register.removed"), source: (each) => t(`register.source_${each.source}`), from: (each) => time(each.since), to: (each) => time(each.until) },
  consents: { purpose: (each) => each.purpose, source: (each) => t(`register.how_${each.how}`), from: (each) => time(each.given), to: (each) => time(each.withdrawn) },
  cards: { credential: (each) => each.credential, from: (each) => time(each.valid_from), to: (each) => time(each.valid_to) },
  visits: { site: (each) => each.site, from: (each) => time(each.from), to: (each) => time(each.to) },
  passages: { at: (each) => time(each.at), site: (each) => each.site, door: (each) => each.door, what: (each) => word("kind", each.what) },
  recordings: { site: (each) => each.site, camera: (each) => each.camera, from: (each) => time(each.from), to: (each) => time(each.to) },
  recipients: { at: (each) => time(each.at), whom: (each) => `${each.name} (${t(`recipients.kind_${each.kind}`)})`, what: (each) => each.what, why: (each) => each.why, basis: (each) => t(`recipients.basis_${each.basis}`) },
  looks: { at: (each) => time(each.at), what: (each) => t(`look.${each.kind}`), why: (each) => (each.purpose ? t(`purpose.${each.purpose}`) : "–"), camera: (each) => each.camera ?? "–", from: (each) => time(each.start), to: (each) => time(each.end) },
  notes: { at: (each) => time(each.at), camera: (each) => each.camera, value: (each) => each.note },
  requests: { at: (each) => time(each.received), what: (each) => t(`requests.kind_${each.kind}`), value: (each) => each.details || "–", state: (each) => t(`requests.state_${each.state}`), told: (each) => each.answer ?? "–" },
};

function part([name, columns], rows) {
  const title = el("h2", { id: `part-${name}` }, t(`copy.${name}`));
  if (!rows.length) return el("section", {}, title, el("p", { class: "soft" }, t("copy.nothing")));
  const head = el("tr", {}, ...Object.keys(columns).map((key) => el("th", { scope: "col" }, t(`copy.column_${key}`))));
  const body = rows.map((row) => el("tr", {}, ...Object.values(columns).map((say) => el("td", {}, say(row)))));
  const help = has(`copy.${name}_help`) ? el("p", { class: "soft" }, t(`copy.${name}_help`)) : null;
  return el("section", { data: { part: name } }, title, help, el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-labelledby": `part-${name}` }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body))));
}

try {
  const done = await withCode(() => get(`/v1/requests/${byId("copy").dataset.request}/copy.json`));
  if (done) {
    const [copy] = done;
    byId("who").textContent = t("copy.who", { name: copy.member.name, number: copy.member.customer_number, time: time(copy.made) });
    byId("parts").replaceChildren(...Object.entries(PARTS).map((each) => part(each, copy[each[0]])));
    byId("copy").hidden = false;
  }
} catch (error) {
  show(byId("problem"), error.message);
}
byId("print").addEventListener("click", () => print());
