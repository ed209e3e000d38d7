// Several cameras in step, under one time and one timeline.

import { byId, el, icon, show } from "./dom.js";
import { kindText, who } from "./events.js";
import { listEvents, listGaps, markEvent, showHeadline } from "./player/around.js";
import { Clock } from "./player/clock.js";
import { installExport } from "./player/export.js";
import { fadeOut } from "./player/fade.js";
import { columns } from "./player/grid.js";
import { Known, span } from "./player/known.js";
import { Peek } from "./player/peek.js";
import { stands } from "./player/state.js";
import { Tile } from "./player/tile.js";
import { Timeline } from "./player/timeline.js";
import { get, iso } from "./server.js";
import { shortcuts } from "./shortcuts.js";
import { clock as clockText, clockMs, shortDay } from "./time.js";
import { t } from "./words.js";

const VIEW_MS = 2 * 60_000;
const RETRY_MS = 3000;
const SCRUB_MS = 150; // while one drags, a picture that is nearly here is waited for so long
const SNAP_MS = 500;
const STEP_MS = 40; // where no picture is known
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const root = byId("player");
const tiles = [];
let clock;
let timeline;
let known;
let zone = "UTC";
let mark = null;
let dragTo = null; // a time that was dragged to and is not sought yet
let sought = 0; // when something was sought last, by the browser's own clock
let last = -Infinity; // the time of the last turn
let told = "";
let marked = null;

async function open() {
  try {
    if (!clock && root.dataset.event) await openVisit(root.dataset.event);
    else if (!clock) openCameras(new URLSearchParams(location.search));
    await known.load();
  } catch (error) {
    return failed(error);
  }
  show(byId("problem"), tiles.length ? "" : t("player.no_cameras"));
  byId("stage").inert = false;
  root.dataset.state = "ready";
  fill();
  if (tiles.length && !matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(true);
  requestAnimationFrame(tick);
  return undefined;
}

function failed(error) {
  if (error.status === undefined) throw error;
  show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
  if (error.status === 0 || error.status >= 500) return setTimeout(open, RETRY_MS); // it may come back
  root.dataset.state = "failed";
  for (const id of ["stage", "keys", "around"]) byId(id).hidden = true;
  return undefined;
}

async function openVisit(eventId) {
  const found = await get(`/v1/events/${eventId}`);
  zone = found.event.time_zone;
  const at = Date.parse(found.event.occurred);
  const cameras = found.cameras.map(span);
  const first = Math.min(at, ...cameras.map((camera) => camera.start));
  const last = Math.max(at + 1000, ...cameras.map((camera) => camera.end));
  mark = { start: first, end: last };
  begin(first, at, cameras);
  showHeadline(found, zone);
}

function openCameras(query) {
  const at = Date.parse(query.get("at") ?? "") || Date.now() - 60_000;
  begin(at, at, query.getAll("camera").map((id) => ({ camera_id: id, name: "…" })));
}

function begin(time, middle, cameras) {
  byId("to-live").hidden = !cameras.length;
  if (cameras.length) byId("to-live").href = `/live?${new URLSearchParams({ camera: cameras[0].camera_id })}`;
  clock = new Clock(time);
  timeline = new Timeline(byId("timeline"), zone);
  timeline.mark = mark;
  timeline.view = { start: middle - VIEW_MS, end: middle + VIEW_MS };
  for (const camera of cameras) {
    const tile = new Tile(camera, enlarge);
    tiles.push(tile);
    byId("tiles").append(tile.element);
  }
  new ResizeObserver(arrange).observe(byId("tiles"));
  fadeOut(byId("stage"), () => clock.playing);
  const peek = new Peek(byId("peek"), () => zone);
  timeline.addEventListener("point", ({ detail }) => peek.show(detail, tiles, timeline.view));
  known = new Known(tiles, () => ({ ...timeline.view, time: clock.now() }));
  known.addEventListener("change", learned);
  known.addEventListener("problem", ({ detail }) => show(byId("problem"), detail.error.message));
  timeline.addEventListener("seek", ({ detail }) => (detail.rests ? seek(detail.time) : (dragTo = detail.time)));
  timeline.addEventListener("view", () => known.moved());
  const span = () => mark ?? { start: clock.now() - 15_000, end: clock.now() + 15_000 };
  installExport({ tiles, zone: () => zone, span });
  byId("keep")?.addEventListener("click", () => {
    const { start, end } = span();
    location.assign(`/cases?${new URLSearchParams([...tiles.map((tile) => ["camera", tile.cameraId]), ["start", iso(start)], ["end", iso(end)]])}`);
  });
}

function learned() {
  zone = known.zone ?? zone;
  const { events } = known;
  const told = (event) => `${clockText(event.time, event.time_zone)} ${event.door}: ${kindText([event.kind])}, ${who(event.member)}`;
  timeline.zone = zone;
  timeline.setRows(tiles.map(({ name, footage, gaps }) => ({ name, footage, gaps })), events.map((event) => ({ ...event, text: told(event) })));
  show(byId("problem"), "");
  show(byId("events-cut"), known.isCut ? t("player.events_cut", { count: events.length, time: clockText(clock.now(), zone) }) : "");
  listEvents(events, zone, seek);
  listGaps(tiles, zone, seek);
  marked = null;
}

function tick() {
  if (dragTo !== null && (tiles.every((tile) => !tile.state.waits) || performance.now() - sought > SCRUB_MS)) seek(dragTo);
  const now = timeNow();
  for (const tile of tiles) tile.sync(now, clock.playing ? clock.rate : 0, clock.moves);
  clock.hold(clock.playing && stands(tiles, performance.now()));
  timeline.setTime(now, clock.playing);
  timeline.draw();
  tell(now);
  known.check(now, tiles.some((tile) => tile.isPending));
  requestAnimationFrame(tick);
}

/** The time goes no further than there are pictures of those cameras that are waited for. */
function timeNow() {
  const now = clock.now();
  const limit = clock.moves ? Math.max(last, Math.min(...tiles.map((tile) => tile.limit(now)))) : now;
  if (now > limit) clock.seek(limit);
  last = Math.min(now, limit);
  return last;
}

function tell(now) {
  root.dataset.timeMs = String(Math.round(now));
  const shown = Math.max(...tiles.map((tile) => tile.shownTime ?? -Infinity));
  const text = Number.isFinite(shown) ? clockMs(shown, zone).slice(0, 10) : "—";
  if (text !== told) byId("clock").replaceChildren(text, el("small", {}, shortDay(now, zone)));
  told = text;
  const current = known.events.findLast((event) => event.time <= now + 50);
  if (current === marked) return;
  marked = current;
  markEvent(current);
}

function seek(time) {
  clock.seek(time);
  known.touched();
  last = time;
  dragTo = null;
  sought = performance.now();
  const { start, end } = timeline.view;
  if (time < start || time > end) timeline.setView(time - (end - start) / 2, time + (end - start) / 2);
}

function setPlaying(playing) {
  clock.play(playing);
  const shown = tiles.find((tile) => tile.shownTime !== null)?.shownTime;
  if (!playing && shown !== undefined && Math.abs(shown - clock.now()) < SNAP_MS) clock.seek((last = shown)); // what is seen stays
  const button = byId("play");
  button.replaceChildren(icon(playing ? "pause" : "play"));
  button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
  button.title = `${t(playing ? "player.pause" : "player.play")} (␣)`;
  root.dataset.playing = playing ? "yes" : "";
}

function step(direction) {
  setPlaying(false);
  const now = clock.now();
  const first = tiles.find((tile) => tile.shownTime !== null);
  seek(first?.beside(now, direction) ?? now + direction * STEP_MS);
}

function jump(direction) {
  const now = clock.now();
  const { events, whole } = known;
  const target = direction > 0 ? events.find((event) => event.time > now + 50) : events.findLast((event) => event.time < now - 600);
  if (target) return seek(target.time);
  const edge = direction > 0 ? whole.end : whole.start;
  if (Number.isFinite(edge)) seek(edge + direction); // just beyond: the next ones come
  return undefined;
}

function speed(direction) {
  const at = SPEEDS.indexOf(clock.rate);
  const rate = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + direction))];
  clock.setRate(rate);
  byId("speed").value = String(rate);
}

function enlarge(tile) {
  const solo = byId("tiles").classList.toggle("solo", !tile.element.classList.contains("large"));
  for (const each of tiles) each.element.classList.toggle("large", solo && each === tile);
  arrange();
}

/** As many columns as make the pictures largest. */
function arrange() {
  const place = byId("tiles");
  place.style.setProperty("--columns", place.classList.contains("solo") ? Math.max(1, tiles.length - 1) : columns(tiles.length, place.clientWidth, place.clientHeight));
}

const sideways = matchMedia("(orientation: landscape) and (max-height: 31rem)"); // as in the style sheet

/** A phone held sideways shows the pictures alone; the rest of the page is above and below. */
function fill() {
  if (sideways.matches) byId("stage").scrollIntoView();
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen?.();
}

const KEYS = {
  " ": () => setPlaying(!clock.playing),
  k: () => setPlaying(!clock.playing),
  ",": () => step(-1),
  ".": () => step(1),
  ArrowLeft: () => seek(clock.now() - 5000),
  ArrowRight: () => seek(clock.now() + 5000),
  p: () => jump(-1),
  n: () => jump(1),
  "+": () => speed(1),
  "-": () => speed(-1),
  f: fullScreen,
};

document.addEventListener("keydown", (event) => {
  if (root.dataset.state !== "ready" || event.ctrlKey || event.metaKey || event.altKey || byId("export-dialog").open) return;
  if (event.key.length === 1 && event.key !== " " && !shortcuts()) return;
  if (event.target.matches("input, select, textarea") || (event.key === " " && event.target.matches("button, a"))) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

byId("play").addEventListener("click", () => setPlaying(!clock.playing));
byId("back-frame").addEventListener("click", () => step(-1));
byId("next-frame").addEventListener("click", () => step(1));
byId("previous-event").addEventListener("click", () => jump(-1));
byId("next-event").addEventListener("click", () => jump(1));
byId("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
byId("zoom-out").addEventListener("click", () => timeline.zoom(2));
byId("full-screen").addEventListener("click", fullScreen);
byId("speed").addEventListener("change", (event) => clock.setRate(Number(event.target.value)));
sideways.addEventListener("change", fill);
document.addEventListener("visibilitychange", () => document.hidden && clock?.playing && setPlaying(false));

open();
