// Orders to erase footage before its time: what waits for a second person, what would go, what keeps it, and a new one.

import { byId, el, show, toast } from "./dom.js";
import { get, iso, post } from "./server.js";
import { withCode } from "./step_up.js";
import { fromField, full, ownZone, spanText, toField } from "./time.js";
import { t } from "./words.js";

const HOUR_MS = 3600000;
const TONE = { asked: "warn", approved: "warn", done: "good" };
const dialog = byId("order");
const query = new URLSearchParams(location.search);
const soft = (text) => el("span", { class: "soft" }, text);
const time = (at) => full(Date.parse(at), ownZone);

async function load() {
  try {
    const found = await get("/v1/erasures");
    byId("erasures").replaceChildren(...found.map(card));
    byId("none").hidden = found.length > 0;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function card(one) {
  const megabytes = Math.round(one.size_bytes / 1e6);
  const decided = { approved: "approved_by", done: "approved_by", refused: "refused_by", cancelled: "cancelled_by" }[one.state];
  return el(
    "li",
    { data: { erasure: one.erasure_id, state: one.state } },
    el("span", { class: "row" }, el("strong", {}, one.reason), el("span", { class: `badge ${TONE[one.state] ?? ""}` }, t(`erasures.${one.state}`))),
    one.of_member ? soft(t("erasures.of_member")) : null,
    ...one.places.map((each) => el("span", {}, `${each.camera}: ${spanText(Date.parse(each.start), Date.parse(each.end), each.time_zone)}`, each.spans > 1 ? soft(` ${t("erasures.spans", { count: each.spans })}`) : null)),
    soft(t(one.state === "asked" ? "erasures.would_go" : "erasures.gone", { count: one.segments, size: megabytes })),
    ...one.blocks.map((each) => el("span", { class: "problem" }, t(`erasures.kept_by_${each.kind}`, { number: each.number, reason: each.reason }))),
    soft(t("erasures.asked_by", { name: one.asked_by, time: time(one.asked) })),
    decided ? soft(t(`erasures.${decided}`, { name: one.decided_by ?? "–", time: one.decided ? time(one.decided) : "–" })) : null,
    one.done ? soft(t("erasures.done_at", { time: time(one.done) })) : null,
    buttons(one),
  );
}

function buttons(one) {
  const button = (name, tone, sure) => el("button", { type: "button", class: tone, onclick: () => (!sure || confirm(t(sure))) && run(`/v1/erasures/${one.erasure_id}/${name}`) }, t(`erasures.${name}_do`));
  const shown = [
    one.may_decide && !one.blocks.length ? button("approve", "primary", "erasures.sure") : null,
    one.may_decide ? button("refuse", "") : null,
    one.may_cancel ? button("cancel", "") : null,
  ].filter(Boolean);
  return shown.length ? el("span", { class: "row buttons" }, ...shown) : null;
}

async function run(path) {
  show(byId("problem"), "");
  try {
    if (await withCode(() => post(path, {}))) toast(t("exports.done"));
  } catch (error) {
    show(byId("problem"), error.message);
  }
  load();
}

async function memberNamed(text) {
  const found = await get("/v1/members", { query: text, limit: 2 });
  if (found.length !== 1) throw new Error(t("erasures.not_one_member"));
  return found[0].member_id;
}

async function body() {
  const reason = byId("reason").value;
  const member = byId("member").value.trim();
  if (member) return { reason, member_id: await memberNamed(member) };
  const cameras = [...byId("order-cameras").querySelectorAll("input:checked")].map((input) => input.value);
  if (!cameras.length) throw new Error(t("export.none"));
  return { reason, camera_ids: cameras, start: iso(fromField(byId("order-start").value, ownZone)), end: iso(fromField(byId("order-end").value, ownZone)) };
}

async function prepare() {
  const wanted = query.getAll("camera");
  const cameras = await get("/v1/cameras");
  byId("order-cameras").append(
    ...cameras.map((camera) => el("label", { class: "choice" }, el("input", { type: "checkbox", value: camera.camera_id, checked: wanted.includes(camera.camera_id) }), el("span", {}, camera.name))),
  );
  const end = Date.parse(query.get("end")) || Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  byId("order-end").value = toField(end, ownZone);
  byId("order-start").value = toField(Date.parse(query.get("start")) || end - HOUR_MS, ownZone);
}

byId("add").addEventListener("click", () => {
  byId("reason").value = byId("member").value = "";
  show(byId("order-problem"), "");
  dialog.showModal();
});
byId("order-cancel").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  show(byId("order-problem"), "");
  try {
    const wanted = await body();
    if (await withCode(() => post("/v1/erasures", wanted))) {
      dialog.close();
      toast(t("erasures.ordered"));
      load();
    }
  } catch (error) {
    show(byId("order-problem"), error.message);
  }
});
prepare().catch((error) => show(byId("problem"), error.message));
load();
