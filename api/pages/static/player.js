// Several cameras in step, under one time and one timeline.

import { byId, show } from "./dom.js";
import { kindText, who } from "./events.js";
import { installCameras } from "./player/cameras.js";
import { listEvents, listGaps, markEvent, showHeadline } from "./player/around.js";
import { Calendar } from "./player/calendar.js";
import { installExport } from "./player/export.js";
import { fadeOut } from "./player/fade.js";
import { Film } from "./player/film.js";
import { Following } from "./player/following.js";
import { Known, span } from "./player/known.js";
import { Bookmarks, bookmarkText } from "./player/bookmarks.js";
import { Peek } from "./player/peek.js";
import { Playback } from "./player/playback.js";
import { Playlist } from "./player/playlist.js";
import { Tile } from "./player/tile.js";
import { Timeline } from "./player/timeline.js";
import { get, iso } from "./server.js";
import { clock as clockText } from "./time.js";
import { t } from "./words.js";

const VIEW_MS = 2 * 60_000;
const RETRY_MS = 3000;
const root = byId("player");
let playback;
let timeline;
let known;
let following;
let film;
let bookmarks;
let playlist = null; // where the page shows one passage of a search after another
let zone = "UTC";
let mark = null;
let visited = null; // the event whose page this is
let marked = null;
let site = null;

async function open() {
  try {
    if (!playback && root.dataset.event) await openVisit(root.dataset.event);
    else if (!playback) openCameras(new URLSearchParams(location.search));
    await known.load();
    if (playlist && !playlist.isLoaded) await playlist.load(root.dataset.event);
  } catch (error) {
    return failed(error);
  }
  show(byId("problem"), playback.tiles.length ? "" : t("player.no_cameras"));
  byId("stage").inert = false;
  root.dataset.state = "ready";
  fill();
  playback.start();
  return undefined;
}

function failed(error) {
  if (error.status === undefined) throw error;
  show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
  if (error.status === 0 || error.status >= 500) return setTimeout(open, RETRY_MS); // it may come back
  root.dataset.state = "failed";
  for (const id of ["stage", "keys", "around", "cameras"]) byId(id).hidden = true;
  return undefined;
}

async function openVisit(eventId) {
  const visit = take(await get(`/v1/events/${eventId}`));
  begin(visit.start, visit.at, chosen(visit.cameras));
  if (!new URLSearchParams(location.search).has("list")) return;
  playlist = new Playlist({ open: openNext, stop: () => playback.setPlaying(false) });
  sought(visit.start);
}

/** Another passage in the place of the one on show; it plays or rests as that did. */
async function openNext(found) {
  const visit = take(found);
  for (const tile of [...playback.tiles]) dismiss(tile);
  timeline.mark = mark;
  timeline.setView(visit.at - VIEW_MS, visit.at + VIEW_MS);
  for (const camera of visit.cameras) playback.add(tileOf(camera));
  history.replaceState(null, "", `/visit/${found.event.event_id}?list=`);
  toLive(visit.cameras);
  playback.seek(visit.start);
  await known.load();
  show(byId("problem"), visit.cameras.length ? "" : t("player.no_cameras"));
}

/** The page is about this event from now on. */
function take(found) {
  zone = found.event.time_zone;
  site = found.event.site_id;
  const at = Date.parse(found.event.occurred);
  const cameras = found.cameras.map(span);
  const start = Math.min(at, ...cameras.map((camera) => camera.start));
  mark = { start, end: Math.max(at + 1000, ...cameras.map((camera) => camera.end)) };
  visited = { ...found.event, time: at };
  showHeadline(found, zone);
  return { start, at, cameras };
}

function openCameras(query) {
  const at = Date.parse(query.get("at") ?? "") || Date.now() - 60_000;
  begin(at, at, chosen([]));
}

/** Those that the address names; else the event's own. */
function chosen(cameras) {
  const named = new URLSearchParams(location.search).getAll("camera");
  if (!named.length) return cameras;
  return named.map((id) => cameras.find((camera) => camera.camera_id === id) ?? { camera_id: id, name: "…" });
}

/** The address has what is shown, so that reloading and coming back show it again. */
function remember() {
  const query = new URLSearchParams(location.search);
  query.delete("camera");
  for (const tile of playback.tiles) query.append("camera", tile.cameraId);
  history.replaceState(null, "", `${location.pathname}?${query}`);
}

const tileOf = (camera) => new Tile(camera, (tile) => playback.enlarge(tile), removeCamera);

/** It is on record before its picture comes; the time and the others go on. */
async function addCamera(camera) {
  const tile = tileOf({ camera_id: camera.camera_id, name: camera.name });
  tile.until = playback.tiles[0].until;
  playback.add(tile);
  try {
    await known.added();
  } catch (error) {
    if (playback.tiles.includes(tile)) removeCamera(tile);
    throw error;
  }
  remember();
}

function dismiss(tile) {
  playback.remove(tile);
  known.removed(tile);
}

function removeCamera(tile) {
  const focused = tile.element.contains(document.activeElement);
  dismiss(tile);
  remember();
  if (focused) byId("cameras").focus();
}

function toLive(cameras) {
  byId("to-live").hidden = !cameras.length;
  if (cameras.length) byId("to-live").href = `/live?${new URLSearchParams({ camera: cameras[0].camera_id })}`;
}

const keys = {
  p: () => jump(-1),
  n: () => jump(1),
  "Shift+p": () => playlist?.go(-1),
  "Shift+n": () => playlist?.go(1),
  c: () => byId("cameras").click(),
  d: () => byId("calendar").click(),
  t: () => byId("film-switch").click(),
  b: () => bookmarks.press(),
};

function sought(time) {
  known.touched();
  if (!playlist) return;
  const until = playlist.sought(time, mark);
  for (const tile of playback.tiles) tile.until = until;
}

function begin(time, middle, cameras) {
  toLive(cameras);
  timeline = new Timeline(byId("timeline"), zone);
  timeline.mark = mark;
  timeline.view = { start: middle - VIEW_MS, end: middle + VIEW_MS };
  playback = new Playback({ time, timeline, zone: () => zone, turn, seeks: sought, keys });
  const { clock, tiles } = playback;
  for (const camera of cameras) playback.add(tileOf(camera));
  installCameras({ playback, site: () => site, add: addCamera, remove: removeCamera });
  fadeOut(byId("stage"), () => clock.playing);
  const peek = new Peek(byId("peek"), () => zone);
  timeline.addEventListener("point", ({ detail }) => peek.show(detail, tiles, timeline.view));
  known = new Known(tiles, () => ({ ...timeline.view, time: clock.now() }));
  known.addEventListener("change", learned);
  known.addEventListener("problem", ({ detail }) => show(byId("problem"), detail.error.message));
  timeline.addEventListener("view", () => known.moved());
  const span = () => mark ?? { start: clock.now() - 15_000, end: clock.now() + 15_000 };
  const seek = (at) => playback.seek(at);
  const ids = () => tiles.map((tile) => tile.cameraId);
  following = new Following(() => ({ time: clock.now(), event: atHand(clock.now()), cameras: ids() }), seek);
  new Calendar(() => ({ time: clock.now(), zone }), ids, seek);
  film = new Film({ timeline, tiles, seek });
  bookmarks = new Bookmarks({ playback, known, zone: () => zone });
  installExport({ tiles, zone: () => zone, span });
  byId("keep")?.addEventListener("click", () => {
    const { start, end } = span();
    location.assign(`/cases?${new URLSearchParams([...tiles.map((tile) => ["camera", tile.cameraId]), ["start", iso(start)], ["end", iso(end)]])}`);
  });
}

function learned() {
  zone = known.zone ?? zone;
  const { events } = known;
  const { clock, tiles } = playback;
  const seek = (time) => playback.seek(time);
  const told = (event) => `${clockText(event.time, event.time_zone)} ${event.door}: ${kindText([event.kind])}, ${who(event.member)}`;
  timeline.zone = zone;
  const flags = known.bookmarks.map((each) => ({ time: each.time, kind: "bookmark", text: bookmarkText(each) }));
  timeline.setRows(tiles.map(({ name, footage, gaps }) => ({ name, footage, gaps })), [...events.map((event) => ({ ...event, text: told(event) })), ...flags]);
  show(byId("problem"), "");
  show(byId("events-cut"), known.isCut ? t("player.events_cut", { count: events.length, time: clockText(clock.now(), zone) }) : "");
  listEvents(events, zone, seek);
  listGaps(tiles, zone, seek);
  bookmarks.list(known.bookmarks, seek);
  film.changed();
  marked = null;
}

function turn(now) {
  known.check(now, playback.tiles.some((tile) => tile.isPending));
  const onward = playlist?.turn(now, mark, playback.tiles, playback.clock.playing);
  if (onward) playback.seek(onward);
  const event = current(now);
  if (event === marked) return;
  marked = event;
  markEvent(event);
}

/** The page's own event while its footage is on show, which begins before it; else the latest until then. */
const atHand = (now) => (visited && mark.start <= now && now < mark.end ? visited : current(now));

/** The latest event until then. */
const current = (now) => known.events.findLast((event) => event.time <= now + 50);

function jump(direction) {
  if (following.same) return following.go(direction);
  const now = playback.clock.now();
  const { events, whole } = known;
  const target = direction > 0 ? events.find((event) => event.time > now + 50) : events.findLast((event) => event.time < now - 600);
  if (target) return playback.seek(target.time);
  const edge = direction > 0 ? whole.end : whole.start;
  if (Number.isFinite(edge)) playback.seek(edge + direction); // just beyond: the next ones come
  return undefined;
}

const sideways = matchMedia("(orientation: landscape) and (max-height: 31rem)"); // as in the style sheet

/** A phone held sideways shows the pictures alone; the rest of the page is above and below. */
function fill() {
  if (sideways.matches) byId("stage").scrollIntoView();
}

byId("previous-event").addEventListener("click", () => jump(-1));
byId("next-event").addEventListener("click", () => jump(1));
byId("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
byId("zoom-out").addEventListener("click", () => timeline.zoom(2));
sideways.addEventListener("change", fill);

open();
