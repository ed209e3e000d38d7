// One case: what it keeps, what is noted in it, and its end by two people.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { get, iso, post } from "./server.js";
import { withCode } from "./step_up.js";
import { fromField, full, ownZone, shortDay, spanText, toField } from "./time.js";
import { t } from "./words.js";

const place = byId("case");
const path = `/v1/cases/${place.dataset.case}`;
const query = new URLSearchParams(location.search);
const HOUR_MS = 3600000;
const soft = (text) => el("span", { class: "soft" }, text);
const spanOf = (each) => spanText(Date.parse(each.start), Date.parse(each.end), each.time_zone);
const watch = (each) => el("a", { href: `/play?${new URLSearchParams({ camera: each.camera_id, at: each.start })}` }, t("cases.watch"));

async function load() {
  try {
    const [found, bookmarks] = await Promise.all([get(path), get(`${path}/bookmarks`)]);
    draw(found);
    byId("bookmarks-part").hidden = !bookmarks.length;
    byId("bookmarks").replaceChildren(...bookmarks.map(bookmark));
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function draw(found) {
  place.hidden = false;
  const open = found.state !== "closed";
  byId("name").textContent = `${found.number} ${found.title}`;
  show(byId("reason"), found.reason);
  byId("state").textContent = t(`cases.${found.state}`);
  byId("state").className = `badge ${{ open: "good", closing: "warn" }[found.state] ?? ""}`;
  const day = (text) => shortDay(Date.parse(text), ownZone);
  show(
    byId("facts"),
    [
      t("cases.opened", { name: found.opened_by, day: day(found.opened) }),
      open ? t(found.review_due ? "cases.review_due" : "cases.review", { day: day(found.review) }) : t("cases.ended_by", { first: found.closing_by, second: found.closed_by, day: day(found.closed) }),
      found.state === "closing" ? t("cases.asked_end", { name: found.closing_by }) : "",
    ].filter(Boolean).join(" · "),
  );
  byId("actions").replaceChildren(...actions(found));
  byId("holds").replaceChildren(...found.in_force.map(hold));
  byId("no-holds").hidden = found.in_force.length > 0;
  byId("entries").replaceChildren(...found.entries.map(entry));
  byId("keep").hidden = found.state !== "open";
  byId("note-form").hidden = !open;
}

function actions(found) {
  const button = (name, act, tone = "") => el("button", { type: "button", class: tone, onclick: () => run(act) }, t(`cases.${name}`));
  if (found.state === "open") return [button("end_ask", () => post(`${path}/end`, {}))];
  if (found.state === "closing") {
    const keep = button("end_keep", () => post(`${path}/keep`, {}));
    return found.may_end ? [button("end_confirm", () => confirm(t("cases.end_sure")) && post(`${path}/confirm-end`, {}), "primary"), keep] : [keep];
  }
  return [];
}

const hold = (each) =>
  el(
    "li",
    { data: { hold: each.hold_id } },
    el("span", { class: "row" }, el("strong", {}, each.camera), each.kind === "restriction" ? el("span", { class: "badge warn" }, t("cases.restricted")) : null),
    el("span", {}, spanOf(each)),
    soft(t("cases.placed", { name: each.placed_by, time: full(Date.parse(each.placed), each.time_zone) })),
    each.ended ? soft(t("cases.hold_ended", { time: full(Date.parse(each.ended), each.time_zone) })) : each.kind === "restriction" ? null : watch(each),
  );

const bookmark = (each) =>
  el(
    "li",
    { data: { bookmark: each.bookmark_id } },
    el("span", { class: "row" }, el("strong", {}, each.camera), el("span", {}, full(Date.parse(each.at), each.time_zone)), watch({ ...each, start: each.at })),
    each.note ? el("span", {}, each.note) : null,
    soft(t("cases.noted", { name: each.by, time: full(Date.parse(each.added), each.time_zone) })),
  );

const entry = (each) =>
  el(
    "li",
    {},
    each.camera_id ? el("span", { class: "row" }, el("strong", {}, each.camera), el("span", {}, spanOf(each)), watch(each)) : null,
    each.note ? el("span", {}, each.note) : null,
    soft(t("cases.noted", { name: each.added_by, time: full(Date.parse(each.added), ownZone) })),
  );

async function run(act) {
  show(byId("problem"), "");
  try {
    if (await withCode(act)) toast(t("exports.done"));
  } catch (error) {
    show(byId("problem"), error.message);
  }
  load();
}

async function prepareHold() {
  const cameras = await get("/v1/cameras");
  const wanted = query.getAll("camera");
  byId("hold-cameras").append(
    ...cameras.map((camera) => el("label", { class: "choice" }, el("input", { type: "checkbox", value: camera.camera_id, checked: wanted.includes(camera.camera_id) }), el("span", {}, camera.name))),
  );
  const end = Date.parse(query.get("end")) || Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  byId("hold-end").value = toField(end, ownZone);
  byId("hold-start").value = toField(Date.parse(query.get("start")) || end - HOUR_MS, ownZone);
  byId("keep").open = query.has("camera");
}

takeForm(byId("hold-form"), () =>
  run(async () => {
    const cameras = [...byId("hold-cameras").querySelectorAll("input:checked")].map((input) => input.value);
    if (!cameras.length) throw new Error(t("export.none"));
    const span = { start: iso(fromField(byId("hold-start").value, ownZone)), end: iso(fromField(byId("hold-end").value, ownZone)) };
    const kept = await post(`${path}/holds`, { kind: byId("restrict").checked ? "restriction" : "hold", camera_ids: cameras, ...span });
    byId("keep").open = false;
    toast(t("cases.kept_now", { count: kept.segments }));
    return kept;
  }),
);
takeForm(byId("note-form"), () =>
  run(async () => {
    const added = await post(`${path}/entries`, { note: byId("note").value });
    byId("note").value = "";
    return added;
  }),
);
prepareHold().catch((error) => show(byId("problem"), error.message));
load();
