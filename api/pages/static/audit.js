// The audit trail: a row for each sitting, that is what a person did in one session for one purpose, with its entries on request.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { get, getText, iso } from "./server.js";
import { clock, full, fromField, ownZone, shortDay, spanText } from "./time.js";
import { has, t } from "./words.js";

const PAGE = 300;
const PRINTED_MAX = 20_000; // as many as the table holds
const LISTED = 3; // actions and cameras that a row names before it says how many more
const zone = ownZone;
const open = new Set(); // sittings whose entries are on show
let next = null;
let asked = 0; // lists so far
let names = {};
let filters = {};
let sittings = new Map(); // by session and purpose, the newest first

async function load(before) {
  show(byId("problem"), "");
  if (!before) asked += 1;
  const mine = asked;
  if (!before) filters = chosen(); // older ones go on with those of the list
  try {
    const page = await get("/v1/audit", { ...filters, limit: PAGE, ...(before ? { before } : {}) });
    if (mine !== asked) return false; // other filters were chosen meanwhile
    names = { ...names, ...page.names };
    if (!before) sittings = new Map();
    page.entries.forEach(take);
    next = page.next;
    draw();
    byId("older").hidden = next === null;
    // A page reads so many entries at most, and may have found none that fits: further back there may be some.
    if (!page.entries.length && next !== null) return load(next);
  } catch (error) {
    show(byId("problem"), error.message);
    return false;
  }
  return true;
}

const listed = () => [...sittings.values()].flat();

/** All that the filters leave, then the browser's own dialog, which prints or makes a PDF. */
async function printAll() {
  byId("print").disabled = true;
  while (next !== null && listed().length < PRINTED_MAX) {
    toast(t("audit.printing", { count: listed().length }));
    if (!(await load(next))) break;
  }
  byId("print").disabled = false;
  if (next === null) print();
  else if (byId("problem").hidden) show(byId("problem"), t("audit.too_many", { count: PRINTED_MAX }));
}

/** On paper it says which entries these are. */
function sayFilters() {
  const said = [...byId("filters").querySelectorAll("label")].flatMap((label) => {
    const field = byId(label.htmlFor);
    const value = filters[{ from: "start", to: "end" }[field.id] ?? field.id];
    if (!value) return [];
    const text = field.id === "from" || field.id === "to" ? full(Date.parse(value), zone) : [...(field.options ?? [])].find((each) => each.value === value)?.text;
    return `${label.textContent}: ${text ?? value}`;
  });
  const numbers = listed().map((entry) => entry.seq);
  const range = numbers.length ? t("audit.printed", { count: numbers.length, first: Math.min(...numbers), last: Math.max(...numbers) }) : t("audit.none");
  byId("printed-filters").textContent = [...(said.length ? said : [t("audit.all")]), range, ...(next === null ? [] : [t("audit.printed_cut")])].join(" · ");
}

function take(entry) {
  const key = entry.session ? [entry.session, entry.purpose, entry.reason].join("|") : String(entry.seq);
  if (!sittings.has(key)) sittings.set(key, []);
  sittings.get(key).push(entry);
}

function draw() {
  const rows = [...sittings].flatMap(([key, entries]) => (entries.length === 1 ? [row(entries[0])] : [summary(key, entries), ...(open.has(key) ? entries.map((entry) => row(entry, "within")) : [])]));
  byId("entries").replaceChildren(...(rows.length ? rows : [el("tr", {}, el("td", { colspan: 6 }, next === null ? t("audit.none") : t("audit.on", { number: next })))]));
}

function chosen() {
  const found = {};
  for (const name of ["action", "actor", "camera", "number"]) {
    const value = byId(name).value.trim();
    if (value) found[name] = value;
  }
  for (const [field, name] of [["from", "start"], ["to", "end"]]) {
    const at = fromField(byId(field).value, zone);
    if (!Number.isNaN(at)) found[name] = iso(at);
  }
  return found;
}

const actionText = (name) => (has(`action.${name}`) ? t(`action.${name}`) : name);

function row(entry, kind = "") {
  return el(
    "tr",
    { class: kind },
    el("td", {}, el("time", { datetime: entry.at }, full(Date.parse(entry.at), zone))),
    el("td", {}, actor(entry)),
    el("td", {}, actionText(entry.action)),
    el("td", {}, what(entry)),
    el("td", {}, entry.purpose ? el("strong", {}, t(`purpose.${entry.purpose}`)) : null, entry.reason ? ` ${entry.reason}` : null),
    el("td", { class: "number" }, String(entry.seq)),
  );
}

/** "Footage watched ×41, Searched ×3" */
function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const told = [...counts].sort((one, other) => other[1] - one[1]).map(([value, number]) => (number > 1 ? `${value} ×${number}` : value));
  return told.length > LISTED + 1 ? [...told.slice(0, LISTED), t("audit.more", { count: told.length - LISTED })] : told;
}

function summary(key, entries) {
  const [last, first] = [entries[0], entries.at(-1)];
  const [from, to] = [first, last].map((entry) => Date.parse(entry.at));
  const end = shortDay(from, zone) === shortDay(to, zone) ? clock(to, zone) : full(to, zone);
  const cameras = counted(entries.map((entry) => entry.camera).filter(Boolean));
  const members = new Set(entries.flatMap((entry) => [entry.member_id, ...(entry.detail.members ?? [])]).filter(Boolean));
  const toggle = () => {
    if (!open.delete(key)) open.add(key);
    draw();
    byId("entries").querySelector(`[data-sitting="${CSS.escape(key)}"]`)?.focus();
  };
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": String(open.has(key)), data: { sitting: key }, onclick: toggle }, t(open.has(key) ? "audit.less" : "audit.details", { count: entries.length }));
  return el(
    "tr",
    { class: "sitting" },
    el("td", {}, el("time", { datetime: first.at }, `${full(from, zone)}–${end}`)),
    el("td", {}, actor(last)),
    el("td", {}, counted(entries.map((entry) => actionText(entry.action))).join(", ")),
    el("td", {}, [cameras.join(", "), members.size ? count("audit.members", members.size) : ""].filter(Boolean).join(" · "), button),
    el("td", {}, last.purpose ? el("strong", {}, t(`purpose.${last.purpose}`)) : null, last.reason ? ` ${last.reason}` : null),
    el("td", { class: "number" }, `${first.seq}–${last.seq}`),
  );
}

const count = (key, number) => (number === 1 ? t(`${key}_one`) : t(key, { count: number }));

function actor(entry) {
  if (entry.name) return entry.name;
  if (/^(user|operator):\d+$/.test(entry.actor)) return t("audit.operator");
  if (entry.actor.startsWith("member:")) return t("audit.a_member");
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

async function saveTable() {
  show(byId("problem"), "");
  try {
    const text = await getText("/v1/audit.csv", chosen());
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "audit.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

async function offerChoices() {
  const { people, cameras } = await get("/v1/audit/choices").catch(() => ({ people: [], cameras: [] }));
  const options = (found) => found.map(({ value, name }) => el("option", { value }, name)).sort((one, other) => one.text.localeCompare(other.text, document.documentElement.lang, { numeric: true }));
  byId("actor").append(...options(people));
  byId("camera").append(...options(cameras));
}

takeForm(byId("filters"), () => load(null));
byId("older").addEventListener("click", () => load(next));
byId("table").addEventListener("click", saveTable);
byId("print").addEventListener("click", printAll);
addEventListener("beforeprint", sayFilters);
offerChoices();
load(null);
