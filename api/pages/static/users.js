// Staff: who may do what. Every change asks for a fresh code when the last one is too old.

import { byId, el, show, toast } from "./dom.js";
import { showOnce } from "./factor.js";
import { get, post, put } from "./server.js";
import { withCode } from "./step_up.js";
import { full, ownZone } from "./time.js";
import { t } from "./words.js";

const ROLES = ["viewer", "exporter", "admin", "auditor"];
const zone = ownZone;
const dialog = byId("user");
let places = [];
let submitted = null;

async function load() {
  try {
    const [users, sites, cameras] = await Promise.all(["staff", "sites", "cameras"].map((name) => get(`/v1/${name}`)));
    const siteNames = new Map(sites.map((site) => [site.site_id, site.name]));
    places = [
      { key: "", name: t("users.everywhere"), grant: {} },
      ...sites.map((site) => ({ key: site.site_id, name: site.name, grant: { site_id: site.site_id } })),
      ...cameras.map((camera) => ({ key: camera.camera_id, name: `${siteNames.get(camera.site_id)}: ${camera.name}`, grant: { camera_id: camera.camera_id } })),
    ];
    byId("users").replaceChildren(...users.map(card));
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

const placeOf = (grant) => grant.camera_id ?? grant.site_id ?? "";
const placeName = (grant) => places.find((place) => place.key === placeOf(grant))?.name ?? "–";

function card(user) {
  const path = `/v1/staff/${user.staff_id}`;
  const own = user.staff_id === dialog.dataset.own;
  const soft = (text) => el("span", { class: "soft" }, text);
  const button = (name, act) => el("button", { type: "button", onclick: act }, t(`users.${name}`));
  return el(
    "li",
    { data: { user: user.user_name } },
    el("span", { class: "row" }, el("strong", {}, user.display_name), user.disabled ? el("span", { class: "badge bad" }, t("users.disabled")) : user.sessions ? el("span", { class: "badge good" }, t("users.signed_in")) : null),
    soft(user.user_name),
    user.grants.length ? el("ul", { class: "plain" }, ...user.grants.map((grant) => el("li", {}, el("strong", {}, t(`role_name.${grant.role}`)), ` ${placeName(grant)}`))) : soft(t("users.no_grants")),
    soft(user.signed_in ? t("users.last", { time: full(Date.parse(user.signed_in), zone) }) : t("users.never")),
    user.made_by ? soft(t("users.made_by", { name: user.made_by })) : null,
    soft(t("users.codes_left", { count: user.recovery_codes })),
    el(
      "details",
      {},
      el("summary", {}, t("users.change")),
      el(
        "span",
        { class: "row buttons" },
        button("roles", () => open(t("users.roles_of", { name: user.display_name }), { grants: user.grants }, ({ grants }) => put(`${path}/grants`, { grants }))),
        button("sees", () => sees(user)),
        button("password", () => open(t("users.password_of", { name: user.display_name }), { password: true }, ({ password }) => post(`${path}/password`, { password }))),
        button("factor", () => reset(user, path)),
        user.sessions ? button("sign_out", () => run(() => post(`${path}/sign-out`, {}))) : null,
        own ? null : button(user.disabled ? "enable" : "disable", () => run(() => post(`${path}/disable`, { disabled: !user.disabled }))),
      ),
    ),
  );
}

async function sees(user) {
  show(byId("problem"), "");
  try {
    const seen = await get(`/v1/staff/${user.staff_id}/sees`);
    const fields = (level) => Object.keys(seen.fields).filter((field) => seen.fields[field] === level).map((field) => t(`field.${field}`));
    const facts = { "sees.members": [t(`sees.${seen.members}`)], "sees.fields": fields("see"), "sees.changes": fields("change"), "sees.cameras": seen.cameras, "sees.doors": seen.doors };
    byId("sees-title").textContent = t("sees.title", { name: user.display_name });
    byId("sees-facts").replaceChildren(...Object.entries(facts).flatMap(([key, values]) => [el("dt", {}, t(key)), el("dd", {}, values.join(", ") || t("sees.nothing"))]));
    byId("sees").showModal();
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

async function run(act) {
  show(byId("problem"), "");
  try {
    const done = await withCode(act);
    if (done) toast(t("exports.done"));
    await load();
    return done?.[0];
  } catch (error) {
    show(byId("problem"), error.message);
    return undefined;
  }
}

async function reset(user, path) {
  if (!confirm(t("users.factor_sure", { name: user.display_name }))) return;
  const made = await run(() => post(`${path}/second-factor`, {}));
  if (made) await showOnce(user.display_name, made);
}

function open(title, { identity = false, password = false, grants = null }, act) {
  byId("user-title").textContent = title;
  byId("user-identity").hidden = !identity;
  byId("user-password").hidden = !password;
  byId("user-grants").hidden = grants === null;
  for (const id of ["display_name", "user_name", "password"]) byId(id).value = "";
  byId("grants").replaceChildren(...(grants ?? []).map(grantRow));
  show(byId("user-problem"), "");
  submitted = act;
  dialog.showModal();
}

function grantRow(grant) {
  const select = (label, values, chosen) => el("select", { "aria-label": label }, ...values.map(([value, name]) => el("option", { value, selected: value === chosen }, name)));
  const row = el(
    "li",
    {},
    select(t("users.role"), ROLES.map((role) => [role, t(`role_name.${role}`)]), grant.role),
    select(t("users.where"), places.map((place) => [place.key, place.name]), placeOf(grant)),
    el("button", { type: "button", class: "quiet", "aria-label": t("users.remove"), title: t("users.remove"), onclick: () => row.remove() }, "×"),
  );
  return row;
}

function grantsTyped() {
  return [...byId("grants").children].map((row) => {
    const [role, place] = [...row.querySelectorAll("select")].map((select) => select.value);
    return { role, ...places.find((each) => each.key === place).grant };
  });
}

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = { display_name: byId("display_name").value, user_name: byId("user_name").value, password: byId("password").value, grants: grantsTyped() };
  show(byId("user-problem"), "");
  try {
    const done = await withCode(() => submitted(typed));
    if (!done) return;
    dialog.close();
    toast(t("exports.done"));
    await load();
    if (done[0]?.qr) await showOnce(typed.display_name, done[0]);
  } catch (error) {
    show(byId("user-problem"), error.message);
  }
});
byId("user-cancel").addEventListener("click", () => dialog.close());
byId("add-grant").addEventListener("click", () => byId("grants").append(grantRow({ role: "viewer" })));
byId("add").addEventListener("click", () => open(t("users.add"), { identity: true, password: true, grants: [{ role: "viewer" }] }, (typed) => post("/v1/staff", typed)));

load();
