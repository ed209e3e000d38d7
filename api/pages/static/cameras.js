import { byId, el, icon, show } from "./dom.js";
import { get, iso, purpose } from "./server.js";
import { clock, shortDay } from "./time.js";
import { has, t } from "./words.js";

const STALE_MS = 15_000; // a camera's health is saved every five seconds: three periods
const DAY_MS = 86_400_000;
const PICTURE_BEHIND_MS = 20_000; // a segment is in the store some ten seconds after its first picture
const state = (name) => (has(`state.${name}`) ? t(`state.${name}`) : name);

async function load() {
  show(byId("problem"), "");
  try {
    const [sites, cameras, doors, health] = await Promise.all(["sites", "cameras", "doors", "health/parts"].map((name) => get(`/v1/${name}`)));
    const now = Date.parse(health.now);
    byId("sites").replaceChildren(...sites.map((site) => siteSection(site, cameras, doors, now)));
    summary(cameras, health, now);
    roles(health.roles, now);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function summary(cameras, health, now) {
  const active = cameras.filter((camera) => !camera.removed);
  const ill = active.filter((camera) => !records(camera, now)).length;
  const parts = Object.entries(health.parts).filter(([, answers]) => !answers).map(([part]) => t("cameras.part_away", { part: t(`part.${part}`) }));
  const text = !active.length ? t("cameras.none") : ill ? t("cameras.some_ill", { ill, count: active.length }) : t("cameras.all_well", { count: active.length });
  byId("summary").textContent = [text, ...parts].join(" ");
}

const fresh = (camera, now) => camera.health && now - Date.parse(camera.health_updated) < STALE_MS;
const records = (camera, now) => fresh(camera, now) && camera.health.state === "recording";

function siteSection(site, cameras, doors, now) {
  const own = cameras.filter((camera) => camera.site_id === site.site_id);
  const names = new Map(own.map((camera) => [camera.camera_id, camera.name]));
  return el(
    "section",
    {},
    el("h2", {}, site.name),
    el("ul", { class: "cards" }, ...own.map((camera) => cameraCard(camera, site, now))),
    el("h3", {}, t("cameras.doors")),
    el(
      "ul",
      { class: "cards" },
      ...doors.filter((door) => door.site_id === site.site_id).map((door) => doorCard(door, site, names, now)),
    ),
  );
}

function doorCard(door, site, names, now) {
  const last = door.last_event ? Date.parse(door.last_event) : null;
  const silent = last === null || now - last > DAY_MS;
  const badge = door.removed
    ? el("span", { class: "badge" }, t("cameras.removed"))
    : el("span", { class: `badge ${silent ? "warn" : "good"}` }, t(silent ? "cameras.door_silent" : "cameras.door_heard"));
  const heard = last === null ? t("cameras.door_never") : t("cameras.door_last", { time: `${shortDay(last, site.time_zone)} ${clock(last, site.time_zone)}`, count: door.events_last_day });
  return el(
    "li",
    {},
    el("span", { class: "row" }, el("strong", {}, door.name), badge),
    el("span", { class: "soft" }, heard),
    el("span", { class: "soft" }, door.cameras.length ? t("cameras.seen_by", { cameras: door.cameras.map((id) => names.get(id)).join(", ") }) : t("cameras.unseen")),
  );
}

/** The newest picture: a look like any other, which needs a purpose. */
function testPicture(camera, now) {
  const place = el("span", {});
  const ask = () => {
    if (!purpose) return location.assign("/purpose?next=/cameras");
    const query = new URLSearchParams({ at: iso(now - PICTURE_BEHIND_MS), purpose });
    const picture = el("img", { class: "test-picture", alt: t("cameras.picture_of", { name: camera.name }), src: `/v1/cameras/${camera.camera_id}/thumbnail.jpg?${query}` });
    picture.addEventListener("error", () => place.replaceChildren(el("span", { class: "problem" }, t("cameras.no_picture"))));
    return place.replaceChildren(picture);
  };
  place.append(el("button", { type: "button", onclick: ask }, t("cameras.picture")));
  return place;
}

function cameraCard(camera, site, now) {
  const { health } = camera;
  const tone = camera.removed ? "" : records(camera, now) ? "good" : health ? "bad" : "warn";
  const label = camera.removed ? t("cameras.removed") : !health ? t("cameras.no_health") : state(health.state);
  const details = [];
  if (health && fresh(camera, now)) {
    details.push(`${health.frames_per_s} fps`, `${(health.bits_per_s / 1e6).toFixed(1)} Mbit/s`);
    if (health.lag_s !== null) details.push(t("cameras.lag", { count: health.lag_s }));
  } else if (health) {
    details.push(t("cameras.stale", { time: clock(Date.parse(camera.health_updated), site.time_zone) }));
  }
  const hours = camera.retention_s / 3600;
  details.push(t("cameras.kept", { time: hours % 24 === 0 && hours > 72 ? t("cameras.days", { count: hours / 24 }) : t("cameras.hours", { count: Math.round(hours) }) }));
  const watch = byId("sites").dataset.watch
    ? el("a", { class: "button", href: `/play?${new URLSearchParams({ camera: camera.camera_id, at: iso(now - 60_000) })}` }, icon("play"), t("cameras.watch"))
    : null;
  return el(
    "li",
    {},
    el("span", { class: "row" }, el("strong", {}, camera.name), el("span", { class: `badge ${tone}` }, label)),
    el("span", { class: "soft" }, details.join(" · ")),
    health?.last_error && !records(camera, now) ? el("span", { class: "problem" }, `${health.last_error} ${health.remedy ?? ""}`) : null,
    watch ? el("span", { class: "row buttons" }, watch, testPicture(camera, now)) : null,
  );
}

function roles(list, now) {
  byId("roles").hidden = !list;
  byId("role-list").replaceChildren(
    ...(list ?? []).map((role) => {
      const tone = ["unknown", "dead", "unreadable"].includes(role.state) ? "bad" : role.state === "ready" ? "good" : "warn";
      const name = has(`role.${role.role}`) ? t(`role.${role.role}`) : role.role;
      return el(
        "li",
        {},
        el("span", { class: "row" }, el("strong", {}, role.instance === "0" ? name : `${name} ${role.instance}`), el("span", { class: `badge ${tone}` }, state(role.state))),
        ...role.problems.map((problem) => el("span", { class: "problem" }, `${problem.what} ${problem.remedy}`)),
      );
    }),
  );
}

byId("refresh").addEventListener("click", load);
load();
