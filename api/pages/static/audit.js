import { byId, el, show, takeForm } from "./dom.js";
import { get, iso } from "./server.js";
import { fromField, full, ownZone, spanText } from "./time.js";
import { has, t } from "./words.js";

const zone = ownZone;
let next = null;
let names = {};
let filters = {};

async function load(before) {
  show(byId("problem"), "");
  if (!before) filters = chosen(); // older ones go on with those of the list
  const query = before ? { ...filters, before } : filters;
  try {
    const page = await get("/v1/audit", query);
    names = { ...names, ...page.names };
    const rows = page.entries.map(row);
    if (before) byId("entries").append(...rows);
    else byId("entries").replaceChildren(...(rows.length ? rows : [el("tr", {}, el("td", { colspan: 6 }, t("audit.none")))]));
    next = page.next;
    byId("older").hidden = next === null;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function chosen() {
  const found = {};
  if (byId("action").value) found.action = byId("action").value;
  for (const [field, name] of [["from", "start"], ["to", "end"]]) {
    const at = fromField(byId(field).value, zone);
    if (!Number.isNaN(at)) found[name] = iso(at);
  }
  return found;
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

const nameOf = (id) => names[id] ?? t("audit.gone");

/** A role as the record has it: "viewer", "viewer site:ID", "viewer camera:ID". */
function grantText(grant) {
  const [role, ...places] = grant.split(" ");
  const where = places.map((place) => nameOf(place.split(":")[1]));
  return `${t(`role_name.${role}`)} (${where.join(", ") || t("users.everywhere")})`;
}

function what(entry) {
  const { detail } = entry;
  const parts = [];
  if (detail.staff_id) parts.push(nameOf(detail.staff_id));
  if (detail.grants) parts.push(detail.grants.map(grantText).join(", ") || t("users.no_grants"));
  if (entry.camera) parts.push(entry.camera);
  else if (detail.cameras) parts.push(detail.cameras.map(nameOf).join(", "));
  if (entry.member_number) parts.push(t("audit.member", { number: entry.member_number }));
  else if (detail.members?.length) parts.push(count("audit.members", detail.members.length));
  if (entry.start && entry.end) parts.push(spanText(Date.parse(entry.start), Date.parse(entry.end), zone));
  if (detail.results !== undefined) parts.push(count("audit.results", detail.results));
  if (detail.minor) parts.push(t("exports.minor"));
  if (detail.asked_by) parts.push(t("audit.asked_by", { name: nameOf(detail.asked_by) }));
  if (detail.export_id) parts.push(t("audit.export", { id: detail.export_id.slice(0, 8) }));
  if (detail.factor === "recovery_code") parts.push(t("audit.factor_recovery_code"));
  if (detail.everywhere) parts.push(t("audit.everywhere"));
  if (entry.action === "purpose" && detail.category) parts.push(t(`purpose.${detail.category}`));
  return parts.join(" · ");
}

takeForm(byId("filters"), () => load(null));
byId("older").addEventListener("click", () => load(next));
load(null);
