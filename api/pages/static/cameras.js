import { byId, el, icon, show } from "./dom.js";
import { get, iso, purpose } from "./server.js";
import { clock, shortDay } from "./time.js";
import { has, t } from "./words.js";

const DAY_MS = 86_400_000;
const PICTURE_BEHIND_MS = 20_000; // a segment is in the store some ten seconds after its first picture
let coming = Promise.resolve(); // pictures that were asked for: each after the one before
const state = (name) => (has(`state.${name}`) ? t(`state.${name}`) : name);

async function load() {
  show(byId("problem"), "");
  try {
    const [sites, cameras, doors, health] = await Promise.all(["sites", "cameras", "doors", "health/parts"].map((name) => get(`/v1/${name}`)));
    const now = Date.parse(health.now);
    byId("sites").replaceChildren(...sites.map((site) => siteSection(site, cameras, doors, now)));
    summary(cameras, health);
    roles(health.roles, now);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function summary(cameras, health) {
  const active = cameras.filter((camera) => !camera.removed);
  const ill = active.filter((camera) => !records(camera)).length;
  const parts = Object.entries(health.parts).filter(([, answers]) => !answers).map(([part]) => t("cameras.part_away", { part: t(`part.${part}`) }));
  const text = !active.length ? t("cameras.none") : ill ? t("cameras.some_ill", { ill, count: active.length }) : t("cameras.all_well", { count: active.length });
  byId("summary").textContent = [text, ...parts].join(" ");
}

const records = (camera) => camera.health?.state === "recording"; // health is null when nothing is known now

function siteSection(site, cameras, doors, now) {
  const own = cameras.filter((camera) => camera.site_id === site.site_id).sort(inOrder);
  const names = new Map(own.map((camera) => [camera.camera_id, camera.name]));
  const doorsHere = doors.filter((door) => door.site_id === site.site_id).sort(inOrder);
  const cards = (list, card) => el("ul", { class: "cards" }, ...list.map(card));
  const [camerasNow, camerasGone] = apart(own);
  const [doorsNow, doorsGone] = apart(doorsHere);
  const camera = (each) => cameraCard(each, site, now);
  const door = (each) => doorCard(each, site, names, now);
  const gone = camerasGone.length + doorsGone.length;
  return el(
    "section",
    {},
    el("h2", {}, site.name),
    cards(camerasNow.sort((one, other) => Number(records(one)) - Number(records(other))), camera), // what is ill comes first
    el("h3", {}, t("cameras.doors")),
    cards(doorsNow, door),
    gone ? el("details", { class: "gone" }, el("summary", {}, t("cameras.gone", { count: gone })), cards(camerasGone, camera), cards(doorsGone, door)) : null,
  );
}

/** Hall 9 before Hall 10. */
const inOrder = (one, other) => one.name.localeCompare(other.name, document.documentElement.lang, { numeric: true });

const apart = (list) => [list.filter((each) => !each.removed), list.filter((each) => each.removed)];

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

/** The newest picture, when it comes into sight: a look like any other, which needs a purpose. One at a time. */
function newestPicture(camera, site) {
  const place = el("div", { class: "test-picture" });
  const ask = async () => {
    const at = Date.now() - PICTURE_BEHIND_MS;
    const picture = el("img", { alt: t("cameras.picture_of", { name: camera.name }), src: `/v1/cameras/${camera.camera_id}/thumbnail.jpg?${new URLSearchParams({ at: iso(at), purpose })}` });
    const came = await picture.decode().then(() => true, () => false);
    place.replaceChildren(...(came ? [picture, el("time", { datetime: iso(at) }, clock(at, site.time_zone))] : [el("span", {}, t("cameras.no_picture"))]));
  };
  const load = () => (coming = coming.then(ask));
  if (purpose) {
    place.append(el("span", {}, t("player.loading")));
    new IntersectionObserver(([seen], watcher) => {
      if (!seen.isIntersecting) return;
      watcher.disconnect();
      load();
    }).observe(place);
  } else place.append(icon("film"));
  return { place, renew: () => (purpose ? load() : location.assign("/purpose?next=/cameras")) };
}

function cameraCard(camera, site, now) {
  const { health } = camera;
  const tone = camera.removed ? "" : records(camera) ? "good" : health ? "bad" : "warn";
  const label = camera.removed ? t("cameras.removed") : health ? state(health.state) : t(camera.health_updated ? "state.unknown" : "cameras.no_health");
  const details = [];
  if (health) {
    details.push(`${health.frames_per_s} fps`, `${(health.bits_per_s / 1e6).toFixed(1)} Mbit/s`);
    if (health.lag_s !== null) details.push(t("cameras.lag", { count: health.lag_s }));
  } else if (camera.health_updated) {
    details.push(t("cameras.stale", { time: clock(Date.parse(camera.health_updated), site.time_zone) }));
  }
  const hours = camera.retention_s / 3600;
  details.push(t("cameras.kept", { time: hours % 24 === 0 && hours > 72 ? t("cameras.days", { count: hours / 24 }) : t("cameras.hours", { count: Math.round(hours) }) }));
  const watch = byId("sites").dataset.watch
    ? el("a", { class: "button", href: `/play?${new URLSearchParams({ camera: camera.camera_id, at: iso(now - 60_000) })}` }, icon("play"), t("cameras.watch"))
    : null;
  const newest = watch && !camera.removed ? newestPicture(camera, site) : null;
  return el(
    "li",
    { class: `edge ${tone}`, data: { camera: camera.camera_id } },
    newest?.place,
    el("span", { class: "row" }, el("strong", {}, camera.name), el("span", { class: `badge ${tone}` }, label)),
    el("span", { class: "soft" }, details.join(" · ")),
    health?.last_error && !records(camera) ? el("span", { class: "problem" }, `${health.last_error} ${health.remedy ?? ""}`) : null,
    watch ? el("span", { class: "row buttons" }, camera.removed ? null : el("a", { class: "button", href: `/live?${new URLSearchParams({ camera: camera.camera_id })}` }, icon("film"), t("nav.live")), watch, newest ? el("button", { type: "button", onclick: newest.renew }, t("cameras.picture")) : null) : null,
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
