// Exports: one's own, and those that wait for a second person.

import { byId, el, icon, show, toast } from "./dom.js";
import { advance, fetchExport } from "./exporting.js";
import { showHistory } from "./history.js";
import { get, post, purpose } from "./server.js";
import { withCode } from "./step_up.js";
import { full, spanText } from "./time.js";
import { t } from "./words.js";

const EVERY_MS = 1000;
const APPROVED_MS = 5000; // a colleague's word is noticed without reloading the page,
const LOOKED_FOR_MS = 300000; // but not for ever: asking keeps the session from going idle
const TONE = { ready: "good", failed: "bad", interrupted: "bad", approval: "warn", approved: "warn", refused: "bad" };
let again = 0;
let touched = Date.now(); // when somebody last did something here
let known = ""; // the states when the history was shown last
let wanted = ""; // to be downloaded as soon as it is made

async function load() {
  clearTimeout(again);
  try {
    const found = await get("/v1/exports");
    byId("exports").replaceChildren(...found.map(card));
    byId("none").hidden = found.length > 0;
    const states = found.map((each) => `${each.export_id} ${each.state}`).sort().join();
    if (states !== known) await showHistory();
    known = states;
    const made = found.find((each) => each.export_id === wanted && each.state !== "working");
    if (made) wanted = "";
    if (made?.state === "ready") run(() => fetchExport(made));
    else if (found.some((each) => each.state === "working")) again = setTimeout(load, EVERY_MS);
    else if (found.some((each) => each.state === "approval") && Date.now() - touched < LOOKED_FOR_MS) again = setTimeout(load, APPROVED_MS);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function card(each) {
  const zone = each.time_zone;
  const spanOf = ({ start, end }) => spanText(Date.parse(start), Date.parse(end), zone);
  const bar = el("progress", { "aria-label": t("exports.progress") });
  advance(bar, each);
  const soft = (...parts) => el("span", { class: "soft" }, ...parts);
  return el(
    "li",
    { data: { export: each.export_id, state: each.state } },
    el("span", { class: "row" }, el("a", { href: `/exports/${each.export_id}` }, el("strong", {}, each.cameras.map((camera) => camera.name).join(", "))), el("span", { class: `badge ${TONE[each.state] ?? ""}` }, t(`exports.${each.state}`))),
    el("span", {}, spanOf(each)),
    soft(`${t(`purpose.${each.purpose}`)}: ${each.reason}`),
    soft(t("exports.asked", { name: each.asked_by, time: full(Date.parse(each.created), zone) }), each.approved_by ? ` ${t("exports.approved_by", { name: each.approved_by })}` : null),
    each.masked ? el("span", {}, el("span", { class: "badge" }, t("exports.masked"))) : null,
    each.minor ? el("span", {}, el("span", { class: "badge warn" }, t("exports.minor"))) : null,
    each.refusal ? el("span", { class: "problem" }, t("exports.refused_because", { name: each.ended_by, reason: each.refusal })) : null,
    each.state === "lapsed" ? el("span", { class: "problem" }, t("problem.export-lapsed")) : null,
    each.state === "approval" && each.own ? soft(t("exports.waits_for")) : null,
    each.state === "approval" && each.one_hand ? soft(t("exports.one_hand")) : null,
    each.problem ? el("span", { class: "problem" }, t(`problem.${each.problem}`)) : null,
    ...each.files.map((file) => soft(`${file.camera}: ${spanOf(file)}, ${(file.size_bytes / 1e6).toFixed(1)} MB`)),
    each.state === "working" ? bar : null,
    el("span", { class: "row buttons" }, ...actions(each)),
  );
}

function actions(each) {
  const path = `/v1/exports/${each.export_id}`;
  const button = (name, sign, act) => el("button", { type: "button", class: "primary", onclick: () => run(act) }, sign ? icon(sign) : null, t(`exports.${name}_do`));
  if (each.may_approve) return [el("a", { class: "button primary", href: `/exports/${each.export_id}` }, icon("play"), t("exports.decide_do"))];
  if (each.may_cancel) return [el("button", { type: "button", onclick: () => run(() => post(`${path}/cancel`, {})) }, t("exports.cancel_do"))];
  if (!each.own) return [];
  if (each.state === "ready") return [button("download", "download", () => needsPurpose() || fetchOrMask(each, path))];
  if (["approved", "failed", "interrupted"].includes(each.state)) return [button("prepare", "download", () => needsPurpose() || prepare(each, path))];
  return [];
}

async function prepare(each, path) {
  const asked = await post(`${path}/prepare`, {});
  wanted = each.export_id;
  return asked;
}

/** A masked copy is kept for an hour: behind that it is made again. */
async function fetchOrMask(each, path) {
  try {
    return await fetchExport(each);
  } catch (error) {
    if (error.code !== "masked-gone") throw error;
    return prepare(each, path);
  }
}

function needsPurpose() {
  if (purpose) return false;
  location.assign("/purpose?next=/exports");
  return true;
}

async function run(act) {
  touched = Date.now();
  show(byId("problem"), "");
  try {
    if (await withCode(act)) toast(t("exports.done"));
  } catch (error) {
    show(byId("problem"), error.message);
  }
  load();
}

load();
