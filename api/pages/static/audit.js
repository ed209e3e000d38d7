import { byId, el, show, takeForm } from "./dom.js";
import { get, iso } from "./server.js";
import { fromField, full, ownZone, spanText } from "./time.js";
import { has, t } from "./words.js";

const zone = ownZone;
let next = null;

async function load(before) {
  show(byId("problem"), "");
  const query = {};
  if (byId("action").value) query.action = byId("action").value;
  for (const [field, name] of [["from", "start"], ["to", "end"]]) {
    const at = fromField(byId(field).value, zone);
    if (!Number.isNaN(at)) query[name] = iso(at);
  }
  if (before) query.before = before;
  try {
    const page = await get("/v1/audit", query);
    const rows = page.entries.map(row);
    if (before) byId("entries").append(...rows);
    else byId("entries").replaceChildren(...(rows.length ? rows : [el("tr", {}, el("td", { colspan: 6 }, t("audit.none")))]));
    next = page.next;
    byId("older").hidden = next === null;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function row(entry) {
  return el(
    "tr",
    {},
    el("td", {}, el("time", { datetime: entry.at }, full(Date.parse(entry.at), zone))),
    el("td", {}, actor(entry)),
    el("td", {}, has(`action.${entry.action}`) ? t(`action.${entry.action}`) : entry.action),
    el("td", {}, what(entry)),
    el("td", {}, entry.purpose ? el("strong", {}, t(`purpose.${entry.purpose}`)) : null, entry.reason ? ` ${entry.reason}` : null),
    el("td", { class: "number" }, String(entry.seq)),
  );
}

const count = (key, number) => (number === 1 ? t(`${key}_one`) : t(key, { count: number }));

function actor(entry) {
  if (entry.name) return entry.name;
  if (/^(user|operator):\d+$/.test(entry.actor)) return t("audit.operator");
  return { operator: t("audit.operator"), nobody: t("audit.nobody") }[entry.actor] ?? entry.actor;
}

function what(entry) {
  const parts = [];
  if (entry.camera) parts.push(entry.camera);
  if (entry.member_number) parts.push(t("audit.member", { number: entry.member_number }));
  else if (entry.detail.members?.length) parts.push(count("audit.members", entry.detail.members.length));
  if (entry.start && entry.end) parts.push(spanText(Date.parse(entry.start), Date.parse(entry.end), zone));
  if (entry.detail.results !== undefined) parts.push(count("audit.results", entry.detail.results));
  return parts.join(" · ");
}

takeForm(byId("filters"), () => load(null));
byId("older").addEventListener("click", () => load(next));
load(null);
