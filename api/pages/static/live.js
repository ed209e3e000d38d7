// Cameras as they are now: one, or those of a site side by side. Each is a look on record, for as long as this page shows it.

import { byId, el, show } from "./dom.js";
import { get } from "./server.js";
import { Tile } from "./live/tile.js";
import { watch } from "./live/request.js";
import { Wall } from "./live/wall.js";
import { t } from "./words.js";

const TOGETHER_MS = 150; // what is to be asked for within so long goes into one request
const AGAIN_MS = 3000;
const PHONE = "(max-width: 600px), (max-height: 500px)"; // where one camera is shown no larger than on a wall
const HIDDEN_MS = 60_000; // a hidden page watches no longer than this
const requests = new Set();
const known = { sites: [], cameras: [], zones: new Map() };
const wall = new Wall(arrange);
let servers = [];
let due = new Map(); // tiles that need a look, and when
let shown = []; // tiles
let resting = false; // hidden for so long that nothing is watched

function again(tile, pause) {
  due.set(tile, performance.now() + pause);
  setTimeout(askDue, pause + TOGETHER_MS);
}

function askDue() {
  const now = performance.now();
  const tiles = [...due].filter(([, at]) => at <= now).map(([tile]) => tile);
  tiles.forEach((tile) => due.delete(tile));
  if (tiles.length) ask(tiles);
}

async function ask(tiles) {
  const looks = await Promise.all(tiles.map((tile) => tile.look(servers)));
  const hears = tiles.map((tile) => tile.hears());
  const turns = tiles.map((tile) => tile.turn);
  const ending = new AbortController();
  requests.add(ending);
  try {
    await watch(looks, (look, kind, body) => hears[look]?.(kind, body), ending.signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status >= 400 && error.status < 500) return refused(tiles, error);
  } finally {
    requests.delete(ending);
  }
  // The answer broke off: the machine was restarted, the network failed, or the right is gone, which asking again tells.
  tiles.forEach((tile, number) => {
    if (tile.turn !== turns[number]) return;
    tile.end();
    tile.show("ended", t("live.ended"), t("live.again"));
    again(tile, AGAIN_MS);
  });
}

/** A request is refused whole where one of its cameras may not be watched: the others are then asked for alone. */
function refused(tiles, error) {
  if (error.status === 404 && tiles.length > 1) return tiles.forEach((tile) => ask([tile]));
  if (error.status === 404) return tiles[0].ended("refused");
  tiles.forEach((tile) => tile.fail(error.message));
}

function chooseSite() {
  const place = byId("site");
  place.replaceChildren(...known.sites.map((site) => el("option", { value: site.site_id }, site.name)));
  place.parentElement.hidden = known.sites.length < 2;
  place.addEventListener("change", () => location.assign(`/live?${new URLSearchParams({ site: place.value })}`));
}

async function begin() {
  try {
    const [sites, all, ice] = await Promise.all([...["sites", "cameras", "live/ice-servers"].map((name) => get(`/v1/${name}`)), wall.load()]);
    servers = ice;
    known.cameras = all.filter((camera) => !camera.removed);
    known.sites = sites.filter((site) => known.cameras.some((camera) => camera.site_id === site.site_id));
    known.zones = new Map(sites.map((site) => [site.site_id, site.time_zone]));
    chooseSite();
    arrange();
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

/** Show what the address names: one camera, or those of a site. */
function arrange() {
  leave();
  const wanted = new URLSearchParams(location.search);
  const single = known.cameras.find((camera) => camera.camera_id === wanted.get("camera"));
  const here = single?.site_id ?? wanted.get("site") ?? known.sites[0]?.site_id;
  const ofSite = known.cameras.filter((camera) => camera.site_id === here);
  const byName = (one, other) => one.localeCompare(other, document.documentElement.lang, { numeric: true });
  const chosen = single ? [single] : wall.of(here, ofSite, byName);
  if (here) byId("site").value = here;
  byId("all").hidden = !single;
  byId("all").href = `/live?${new URLSearchParams({ site: here ?? "" })}`;
  show(byId("left-out"), !single && ofSite.length > chosen.length ? t("live.left_out", { count: ofSite.length - chosen.length }) : "");
  byId("arrange").hidden = Boolean(single) || ofSite.length < 2;
  show(byId("problem"), chosen.length ? "" : t("cameras.none"));
  const small = chosen.length > 1 || matchMedia(PHONE).matches;
  shown = chosen.map((camera) => new Tile({ ...camera, time_zone: known.zones.get(camera.site_id) }, again, small));
  byId("tiles").replaceChildren(...shown.map((tile) => tile.element));
  byId("tiles").dataset.count = Math.ceil(Math.sqrt(shown.length)) || 1;
  if (shown.length) ask(shown);
}

/** End all looks. */
function leave() {
  requests.forEach((request) => request.abort());
  due = new Map();
  shown.forEach((tile) => tile.end());
}

/** From the wall to one camera and back without a new page, which would be most of the wait for the first picture. */
addEventListener("click", (event) => {
  const link = event.target.closest?.(".enlarge, #all");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const left = shown[0]?.camera.camera_id;
  history.pushState(null, "", link.href);
  arrange();
  const back = [...document.querySelectorAll(".tile")].find((tile) => tile.dataset.camera === left);
  (byId("all").hidden ? back?.querySelector(".enlarge") : byId("all"))?.focus();
});
addEventListener("popstate", arrange);

/** A hidden page does not count as a look: its pictures end, and come back when the page does. */
let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => {
      leave();
      resting = true;
    }, HIDDEN_MS);
  } else if (resting) {
    resting = false;
    shown.forEach((tile) => tile.show("coming", t("live.coming")));
    ask(shown);
  }
});

addEventListener("pagehide", () => requests.forEach((request) => request.abort()));
begin();
