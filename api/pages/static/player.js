// Several cameras in step, under one clock and one timeline.

import { Clock } from "./clock.js";
import { byId, el, icon, show } from "./dom.js";
import { badges, kindText, who } from "./events.js";
import { installExport } from "./export.js";
import { get, iso } from "./server.js";
import { shortcuts } from "./shortcuts.js";
import { Tile } from "./tile.js";
import { clock as clockText, clockMs, full, lengthText, shortDay, spanText } from "./time.js";
import { Timeline } from "./timeline.js";
import { t } from "./words.js";

const BRIEF_MS = 1000; // shorter gaps are on the timeline; in the list they would hide the others
const VIEW_MS = 2 * 60_000;
const WAIT_MS = 8000;
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const root = byId("player");
const tiles = [];
let clock;
let timeline;
let zone = "UTC";
let events = [];
let loaded = { start: 0, end: 0 };
let whole = { start: -Infinity, end: Infinity }; // of which all events are here; a busy week has too many
let mark = null;
let waitingSince = null;

const span = ({ start, end, ...rest }) => ({ ...rest, start: Date.parse(start), end: Date.parse(end) });

async function open() {
  try {
    if (root.dataset.event) await openVisit(root.dataset.event);
    else openCameras(new URLSearchParams(location.search));
    await loadTimelines();
  } catch (error) {
    show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
    root.dataset.state = "failed";
    for (const id of ["stage", "keys", "around"]) byId(id).hidden = true;
    return;
  }
  byId("stage").inert = false;
  if (!tiles.length) show(byId("problem"), t("player.no_cameras"));
  root.dataset.state = "ready";
  if (tiles.length && !matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(true);
  requestAnimationFrame(tick);
}

async function openVisit(eventId) {
  const found = await get(`/v1/visits/${eventId}`);
  zone = found.event.time_zone;
  const at = Date.parse(found.event.occurred);
  const cameras = found.cameras.map(span);
  const first = Math.min(at, ...cameras.map((camera) => camera.start));
  const last = Math.max(at + 1000, ...cameras.map((camera) => camera.end));
  mark = { start: first, end: last };
  begin(first, at, cameras);
  headline(found);
}

function openCameras(query) {
  const at = Date.parse(query.get("at") ?? "") || Date.now() - 60_000;
  begin(at, at, query.getAll("camera").map((id) => ({ camera_id: id, name: "…" })));
}

function begin(time, middle, cameras) {
  clock = new Clock(time);
  timeline = new Timeline(byId("timeline"), zone);
  timeline.mark = mark;
  timeline.view = { start: middle - VIEW_MS, end: middle + VIEW_MS };
  for (const camera of cameras) {
    const tile = new Tile(camera, enlarge);
    tiles.push(tile);
    byId("tiles").append(tile.element);
  }
  timeline.addEventListener("seek", ({ detail }) => seek(detail.time));
  timeline.addEventListener("view", () => later());
  installExport({ tiles, zone: () => zone, span: () => mark ?? { start: clock.now() - 15_000, end: clock.now() + 15_000 } });
}

// Timelines are searches, each on record: asked for in generous pieces, and only when the view has come to rest.
let resting = 0;
let loading = false;
function later() {
  clearTimeout(resting);
  resting = setTimeout(async () => {
    resting = 0;
    const { start, end } = timeline.view;
    if (start >= loaded.start && end <= loaded.end && inWhole(clock.now())) return;
    loading = true;
    try {
      await loadTimelines();
    } catch (error) {
      whole = { start: -Infinity, end: Infinity }; // not asked for again and again
      show(byId("problem"), error.message);
    }
    loading = false;
  }, 400);
}

let asked = 0;
async function loadTimelines() {
  const mine = ++asked;
  const { start, end } = timeline.view;
  const margin = (end - start) / 2;
  const around = clock.now();
  const wanted = { start: iso(start - margin), end: iso(end + margin), around: iso(around) };
  const found = await Promise.all(tiles.map((tile) => get(`/v1/cameras/${tile.cameraId}/timeline`, wanted)));
  if (mine !== asked) return; // of a view that was left meanwhile
  loaded = { start: start - margin, end: end + margin };
  whole = { start: -Infinity, end: Infinity };
  const known = new Map();
  found.forEach((answer, number) => {
    zone = answer.time_zone;
    tiles[number].setName(answer.camera);
    tiles[number].setTimeline(answer.footage.map(span), answer.gaps.map(span));
    for (const event of answer.events) known.set(event.event_id, event);
    if (!answer.events_cut) return;
    const part = { start: Date.parse(answer.events_start), end: Date.parse(answer.events_end) };
    // Where the loaded span ends no event is missing: looking there asks for the next piece anyway.
    if (part.start > loaded.start) whole.start = Math.max(whole.start, part.start);
    if (part.end < loaded.end) whole.end = Math.min(whole.end, part.end);
  });
  timeline.zone = zone;
  events = [...known.values()]
    .filter((event) => inWhole(Date.parse(event.occurred)))
    .map((event) => ({ ...event, time: Date.parse(event.occurred), text: `${clockText(Date.parse(event.occurred), event.time_zone)} ${event.door}: ${kindText([event.kind])}, ${who(event.member)}` }))
    .sort((one, other) => one.time - other.time);
  timeline.setRows(tiles.map(({ name, footage, gaps }) => ({ name, footage, gaps })), events);
  const cut = whole.start > -Infinity || whole.end < Infinity;
  show(byId("events-cut"), cut ? t("player.events_cut", { count: events.length, time: clockText(around, zone) }) : "");
  listEvents();
  listGaps();
}

const inWhole = (time) => time >= whole.start && time <= whole.end;

function headline({ event, visit }) {
  const at = Date.parse(event.occurred);
  const title = `${who(event.member)} · ${event.door} · ${clockText(at, zone)}`;
  byId("headline").textContent = title;
  document.title = `${clockText(at, zone)} ${event.door} – Tallenne`;
  const facts = [
    [t("player.member"), who(event.member)],
    event.member?.number ? [t("player.number"), event.member.number] : null,
    [t("player.door"), event.door],
    [t("player.site"), event.site],
    [t("player.when"), full(at, zone)],
    visit ? [t("player.visit"), visit.end ? spanText(Date.parse(visit.start), Date.parse(visit.end), zone) : `${clockText(Date.parse(visit.start), zone)}– (${t("player.still_inside")})`] : null,
  ];
  byId("facts").replaceChildren(...facts.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  byId("facts").after(el("p", { class: "badges" }, ...badges(event, [event.kind])));
  byId("about").hidden = false;
}

function listEvents() {
  byId("no-events").hidden = events.length > 0;
  marked = null;
  byId("events").replaceChildren(
    ...events.map((event) =>
      el(
        "li",
        { data: { event: event.event_id } },
        el(
          "button",
          { type: "button", onclick: () => seek(event.time) },
          el("time", { datetime: event.occurred }, clockText(event.time, zone)),
          el("span", {}, who(event.member), el("span", { class: "soft" }, event.door)),
          el("span", { class: "badges" }, ...badges(event, [event.kind])),
        ),
      ),
    ),
  );
}

function listGaps() {
  const gaps = tiles.flatMap((tile) => tile.gaps.filter((gap) => gap.cause !== "before").map((gap) => ({ ...gap, name: tile.name })));
  gaps.sort((one, other) => one.start - other.start);
  const long = gaps.filter((gap) => gap.end - gap.start >= BRIEF_MS);
  const brief = gaps.length - long.length;
  byId("missing").hidden = !gaps.length;
  byId("gaps").replaceChildren(
    ...long.map((gap) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", onclick: () => seek(gap.start) },
          el("time", { datetime: iso(gap.start) }, clockText(gap.start, zone)),
          el("span", {}, gap.name, el("span", { class: "soft" }, t(`gap.${gap.cause}`))),
          el("span", { class: "soft" }, lengthText(gap.end - gap.start)),
        ),
      ),
    ),
    brief ? el("li", { class: "soft" }, brief === 1 ? t("player.brief_gaps_one") : t("player.brief_gaps", { count: brief })) : "",
  );
}

function tick() {
  const now = clock.now();
  let waiting = false;
  for (const tile of tiles) waiting = tile.sync(now, clock.playing && !clock.held, clock.rate) || waiting;
  waitingSince = waiting ? (waitingSince ?? performance.now()) : null;
  // A camera that takes too long is not waited for any more; the others go on.
  clock.hold(waiting && clock.playing && performance.now() - waitingSince < WAIT_MS);
  timeline.setTime(now, clock.playing);
  timeline.draw();
  tell(now);
  requestAnimationFrame(tick);
}

let told = "";
let marked = null;
function tell(now) {
  const text = clockMs(now, zone).slice(0, 10);
  root.dataset.timeMs = String(Math.round(now));
  if (text === told) return;
  told = text;
  byId("clock").replaceChildren(text, el("small", {}, shortDay(now, zone)));
  if (!inWhole(now) && !resting && !loading) later();
  const current = events.findLast((event) => event.time <= now + 50);
  if (current === marked) return;
  marked = current;
  const list = byId("events");
  for (const item of list.children) {
    if (current && item.dataset.event === current.event_id) {
      item.setAttribute("aria-current", "true");
      list.scrollTop = item.offsetTop - list.offsetTop - list.clientHeight / 2;
    } else item.removeAttribute("aria-current");
  }
}

function seek(time) {
  clock.seek(time);
  const { start, end } = timeline.view;
  if (time < start || time > end) timeline.setView(time - (end - start) / 2, time + (end - start) / 2);
}

function setPlaying(playing) {
  clock.play(playing);
  const button = byId("play");
  button.replaceChildren(icon(playing ? "pause" : "play"));
  button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
  button.title = `${t(playing ? "player.pause" : "player.play")} (␣)`;
  root.dataset.playing = playing ? "yes" : "";
}

function step(frames) {
  setPlaying(false);
  const frameMs = tiles.length ? Math.min(...tiles.map((tile) => tile.frameMs)) : 40;
  seek(clock.now() + frames * frameMs);
}

function jump(direction) {
  const now = clock.now();
  const target = direction > 0 ? events.find((event) => event.time > now + 50) : events.findLast((event) => event.time < now - 600);
  if (target) return seek(target.time);
  const edge = direction > 0 ? whole.end : whole.start;
  if (Number.isFinite(edge)) seek(edge + direction); // just beyond: the next ones come
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
document.addEventListener("visibilitychange", () => document.hidden && clock?.playing && setPlaying(false));

open();
