// The player's pure parts, tried in a page: boxes, pictures' times, pieces, states. Each case throws when it fails.

import { course, missing } from "/static/player/course.js";
import { slots } from "/static/player/slots.js";
import { Fetched, groupsFor, pieceAt } from "/static/player/pieces.js";
import { columns } from "/static/player/grid.js";
import { cells, moment, monthBeside, together } from "/static/player/month.js";
import { WHOLE, magnified } from "/static/player/magnify.js";
import { Frames } from "/static/player/frames.js";
import { MoofScanner, picturesOf, readHead } from "/static/player/boxes.js";
import { BLANK, GAP, LOADING, OFFLINE, SHOWN, UNPLAYABLE, decide, groundAt, inStep, stands } from "/static/player/state.js";

function same(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

const every = (step, start, end) => Array.from({ length: (end - start) / step }, (_, number) => ({ start: start + number * step, end: start + (number + 1) * step }));
const nothing = { name: BLANK, why: "", waits: true };
const run = { kind: "run", start: 0, end: 10_000 };
const facts = { time: 1000, ground: run, problem: null, frame: null, ahead: 5000, rate: 0 };

export const cases = {
  "pictures along the timeline are even, few, whole in sight, and the same ones when the view is moved": () => {
    const all = [{ start: 0, end: 1e9 }];
    same(slots({ start: 3_600_000, end: 3_840_000 }, 1200, all), every(20_000, 3_610_000, 3_840_000).map(({ start }) => start + 10_000).slice(0, 11));
    const wide = slots({ start: 3_600_000, end: 3_840_000 }, 3000, all);
    same([wide.length <= 14, slots({ start: 0, end: 240_000 }, 350, all).length <= 3], [true, true]);
    const moved = slots({ start: 3_607_000, end: 3_847_000 }, 1200, all);
    same(moved.filter((at) => at < 3_830_000), slots({ start: 3_600_000, end: 3_840_000 }, 1200, all).filter((at) => at < 3_830_000 && at >= 3_617_000));
    same(slots({ start: 0, end: 240_000 }, 1200, [{ start: 30_000, end: 60_000 }]), [40_000]);
    same(slots({ start: 0, end: 240_000 }, 1200, []), []);
  },
  "a clip of a list goes on over gaps to its footage, and is over at its end or where none follows": () => {
    const clip = { start: 0, end: 10_000 };
    const camera = (name, why, ...starts) => ({ state: { name, why }, footage: starts.map((start) => ({ start })) });
    same(course(10_000, clip, [camera(SHOWN, "")]), { over: true, why: "" });
    same([course(500, clip, [camera(SHOWN, ""), camera(GAP, "loss")]), course(500, clip, [camera(LOADING, "")])], [null, null]);
    same(course(500, clip, [camera(OFFLINE, "problem.away")]), null); // it may come back
    same(course(500, clip, [camera(GAP, "loss", 100, 7000), camera(GAP, "loss", 4000)]), { seek: 4000 });
    same(course(500, clip, [camera(GAP, "pending", 100, 10_000)]), { over: true, why: "gap.pending" });
    same(course(500, clip, [camera(UNPLAYABLE, "player.unplayable", 4000)]), { over: true, why: "player.unplayable" });
    same([camera(GAP, "withheld"), camera(GAP, "future"), camera(GAP, "")].map((each) => course(1, clip, [each]).why), ["gap.expired", "player.future", "gap.title"]);
    same(course(500, clip, []), { over: true, why: "player.no_cameras" });
  },
  "why a passage has nothing to show": () => {
    const camera = (footage, ...causes) => ({ end: "2020-01-01T00:00:00Z", footage, gaps: causes.map((cause) => ({ cause })) });
    same([missing([]), missing([camera([])])], ["player.no_cameras", "gap.title"]);
    same([missing([camera([]), camera([1], "loss")]), missing([camera([]), camera([], "", "loss")])], ["", "gap.loss"]);
    same(missing([{ ...camera([]), end: "2999-01-01T00:00:00Z" }]), "player.future");
  },
  "pictures are arranged so that they are largest": () => {
    same([columns(1, 1280, 500), columns(2, 1280, 500), columns(4, 1280, 500), columns(4, 844, 390), columns(3, 366, 2000)], [1, 2, 2, 2, 1]);
    same([columns(9, 1600, 900), columns(16, 1600, 900), columns(0, 100, 100)], [3, 4, 1]);
  },
  "a month begins below its weekday, and several cameras' days are one": () => {
    same(cells("2026-11", ["1", "2"]), [null, null, null, null, null, null, "1", "2"]); // a Sunday
    same(cells("2027-02", ["1"]), ["1"]); // a Monday
    same([monthBeside("2026-12", 1), monthBeside("2026-01", -1), monthBeside("2026-03", -1)], ["2027-01", "2025-12", "2026-02"]);
    same([moment("2026-11-01", "6:31"), moment("2026-11-01", "")], ["2026-11-01T06:31", "2026-11-01T12:00"]);
    const days = (footage, events) => [{ day: "2026-11-01", footage, events }];
    same(together([days(false, 3), days(true, 2)]), [{ day: "2026-11-01", footage: true, events: 3 }]);
  },
  "an enlarged picture keeps the point it is enlarged around, and fills its place": () => {
    same(magnified(WHOLE, 2), { scale: 2, x: 0.25, y: 0.25 });
    same(magnified(WHOLE, 2, { x: 1, y: 0 }), { scale: 2, x: 0.5, y: 0 });
    same(magnified({ scale: 2, x: 0.25, y: 0.25 }, 1, { x: 0.5, y: 0.5 }, { x: 0.1, y: -5 }), { scale: 2, x: 0.2, y: 0.5 });
    same(magnified({ scale: 4, x: 0.7, y: 0 }, 0.01), WHOLE);
    same(magnified(WHOLE, 100).scale, 8);
  },
  "the picture of a time is the one whose interval holds it": () => {
    const frames = new Frames();
    frames.add(every(40, 1000, 2000));
    same(frames.at(1039), { start: 1000, end: 1040 });
    same(frames.at(1040), { start: 1040, end: 1080 });
    same([frames.at(999), frames.at(2000)], [null, null]);
  },
  "a picture lasts over a short hole and not into a gap": () => {
    const frames = new Frames();
    frames.add(every(40, 0, 400));
    frames.add(every(40, 500, 900));
    frames.add(every(40, 5000, 5400));
    same(frames.at(480), { start: 360, end: 500 });
    same(frames.at(950), null);
    same(frames.beside(500, -1), { start: 360, end: 500 });
    same(frames.beside(880, 1), null);
  },
  "pictures that two clips have are known once": () => {
    const frames = new Frames();
    frames.add(every(40, 0, 2000));
    frames.add(every(40, 1000, 3000).map(({ start, end }) => ({ start: start + 0.4, end: end + 0.4 })));
    same(frames.at(1010).start, 1000.4);
    same(frames.beside(999, 1).start, 1000.4);
    same(frames.at(2999).start, 2960.4);
  },
  "a clip is the visit's span, else a block, and within footage": () => {
    same(pieceAt(125_000, { start: 0, end: 1e9 }, null), { start: 120_000, end: 240_000 });
    same(pieceAt(125_000, { start: 124_000, end: 130_000 }, null), { start: 124_000, end: 130_000 });
    same(pieceAt(125_000, { start: 0, end: 1e9 }, { start: 119_000, end: 134_000 }), { start: 119_000, end: 134_000 });
  },
  "groups of pictures are fetched from the one that holds the time": () => {
    const groups = [0, 2000, 4000].map((start) => ({ start, stop: start + 2000 }));
    same(groupsFor(groups, 2500, 2600), [1, 1]);
    same(groupsFor(groups, 2500, 4100), [1, 2]);
    same(groupsFor(groups, 6000, 7000), null);
    same(groupsFor(groups.slice(1), 500, 2100), [0, 0]);
  },
  "what was fetched ends where nothing follows": () => {
    const fetched = new Fetched();
    fetched.add(2000, 4000);
    fetched.add(0, 2000);
    fetched.add(9000, 9500);
    same([fetched.end(500), fetched.end(4000), fetched.end(9100)], [4000, null, 9500]);
    same(fetched.keep(1000, 8000), { start: 0, end: 4000 });
    same(fetched.end(9100), null);
  },
  "a timeline says footage, gap with its cause, or nothing": () => {
    const timeline = { start: 0, end: 100, footage: [{ start: 0, end: 40 }], gaps: [{ start: 40, end: 60, cause: "crash" }] };
    same(groundAt(39, timeline, 1000).kind, "run");
    same(groundAt(40, timeline, 1000).cause, "crash");
    same(groundAt(60, timeline, 1000).cause, "pending");
    same(groundAt(60, timeline, 50).cause, "future");
    same(groundAt(100, timeline, 1000).kind, "unknown");
    same(groundAt(5, null, 1000).kind, "unknown");
  },
  "paused, only the picture of the time is shown": () => {
    const seen = (start, end) => decide(nothing, { ...facts, frame: { start, end } }).name;
    same([seen(960, 1000), seen(1000, 1040), seen(1001, 1041)], [LOADING, SHOWN, LOADING]);
  },
  "moving, a picture may be off by an interval": () => {
    same(inStep({ start: 960, end: 1000 }, 1060, 1, false), true);
    same(inStep({ start: 960, end: 1000 }, 1090, 1, false), false);
    same(inStep({ start: 960, end: 1000 }, 1090, 1, true), true);
    same(inStep({ start: 0, end: 12_000 }, 12_500, 1, true), false); // one picture in twelve seconds
  },
  "states": () => {
    const offline = { name: OFFLINE, why: "problem.offline" };
    const state = (more) => decide(nothing, { ...facts, ...more }).name;
    same(state({}), LOADING);
    same(state({ ground: { kind: "unknown" } }), BLANK);
    same(state({ ground: { kind: "gap", cause: "crash" }, frame: { start: 1000, end: 1040 } }), GAP);
    same(state({ problem: offline }), OFFLINE);
    same(state({ problem: offline, frame: { start: 1000, end: 1040 } }), SHOWN); // it is the right one all the same
    same(state({ problem: { name: UNPLAYABLE, why: "" } }), UNPLAYABLE);
    same(state({ problem: { name: GAP, why: "withheld" } }), GAP);
  },
  "the time stands for a camera that loads, but not for long beside another one": () => {
    const shown = { state: { name: SHOWN, waits: false }, waitsSince: null };
    const loads = { state: { name: LOADING, waits: true }, waitsSince: 0 };
    const gap = { state: { name: GAP, waits: false }, waitsSince: null };
    same([stands([shown, loads], 1000), stands([shown, loads], 9000)], [true, false]);
    same([stands([loads], 60_000), stands([gap, gap], 0), stands([shown, shown], 0)], [true, false, false]);
  },
  "the time stands for footage that is on its way, a while, whatever else is shown": () => {
    const pending = { ...facts, ground: { kind: "gap", cause: "pending" } };
    same([decide(nothing, { ...pending, rate: 1 }).waits, decide(nothing, { ...pending, rate: 0 }).waits], [true, false]);
    const shown = { state: { name: SHOWN, waits: false }, waitsSince: null };
    const comes = { state: decide(nothing, { ...pending, rate: 1 }), waitsSince: 0 };
    same([stands([shown, comes], 14_000), stands([shown, comes], 16_000)], [true, false]);
    same([stands([comes], 14_000), stands([comes], 16_000)], [true, false]);
  },
  "a clip that goes on playing has a second in hand": () => {
    const frame = { start: 1000, end: 1040 };
    const dry = decide({ name: SHOWN, why: "", waits: false }, { ...facts, frame, rate: 1, ahead: 0 });
    same([dry.name, dry.waits], [SHOWN, true]);
    same(decide(dry, { ...facts, frame, rate: 1, ahead: 500 }).waits, true);
    same(decide(dry, { ...facts, frame, rate: 1, ahead: 1500 }).waits, false);
  },
};

/** The pictures that a clip's boxes tell of, read in pieces of ``size`` bytes from its group ``number`` on. */
export async function picturesIn(address, size, number) {
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  let head = null;
  for (let length = 64; !head; length += 64) head = readHead(bytes.slice(0, length));
  const scanner = new MoofScanner();
  const found = [];
  for (let at = head.groups[number].offset; at < bytes.length; at += size) {
    for (const moof of scanner.push(bytes.slice(at, at + size))) found.push(...picturesOf(moof, head).map((picture) => picture.start));
  }
  return { starts: head.groups.map((group) => group.start), found };
}
