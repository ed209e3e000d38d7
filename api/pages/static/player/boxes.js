// What the player reads of a clip's boxes (ISO/IEC 14496-12): where its groups of pictures lie, and when each picture is shown. Pure.

const HEAD = 8; // size and kind of a box
const SAP = 0x80000000; // of a sidx entry: it begins with a picture that needs no other

/** The boxes of bytes [at, end) that are there whole, with the view that their fields are read from. */
function* boxes(view, at, end) {
  while (end - at >= HEAD) {
    const size = view.getUint32(at);
    if (size < HEAD || at + size > end) return;
    yield { kind: kindOf(view, at), body: at + HEAD, end: at + size };
    at += size;
  }
}

const kindOf = (view, at) => String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7));
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The first box at the end of a path of kinds, or undefined. */
function find(view, within, ...path) {
  let found = within;
  for (const kind of path) {
    found = [...boxes(view, found.body, found.end)].find((box) => box.kind === kind);
    if (!found) return undefined;
  }
  return found;
}

const longAt = (view, at) => Number(view.getBigUint64(at));

/**
 * The beginning of a clip, or null while some of it is missing.
 * initEnd: bytes of ftyp and moov; timescale in ticks per second; shiftTicks: what the edit list takes off every time;
 * groups: {offset, end, start, stop}, bytes of the file and seconds of the clip, each from a key frame on.
 * A clip without an index is one group without an end.
 */
export function readHead(bytes) {
  const view = viewOf(bytes);
  let track = null;
  let initEnd = 0;
  for (const box of boxes(view, 0, bytes.length)) {
    if (box.kind === "moov") {
      track = readTrack(view, box);
      initEnd = box.end;
    } else if (box.kind === "sidx" && track) return { ...track, initEnd, groups: readIndex(view, box) };
    else if (track) return { ...track, initEnd, groups: [withoutIndex(initEnd)] };
  }
  // A fragment without an index before it may be larger than what is here: its kind is enough to know.
  if (track && bytes.length >= initEnd + HEAD && kindOf(view, initEnd) === "moof") return { ...track, initEnd, groups: [withoutIndex(initEnd)] };
  return null;
}

const withoutIndex = (offset) => ({ offset, end: Infinity, start: 0, stop: Infinity });

function readTrack(view, moov) {
  const mdhd = find(view, moov, "trak", "mdia", "mdhd");
  const elst = find(view, moov, "trak", "edts", "elst");
  const timescale = view.getUint32(mdhd.body + (view.getUint8(mdhd.body) ? 20 : 12));
  let shiftTicks = 0;
  if (elst && view.getUint32(elst.body + 4)) {
    const long = view.getUint8(elst.body) === 1;
    shiftTicks = Math.max(0, long ? Number(view.getBigInt64(elst.body + 16)) : view.getInt32(elst.body + 12)); // -1: an empty edit
  }
  return { timescale, shiftTicks };
}

function readIndex(view, box) {
  const long = view.getUint8(box.body) > 0;
  const timescale = view.getUint32(box.body + 8);
  let start = (long ? longAt(view, box.body + 12) : view.getUint32(box.body + 12)) / timescale;
  let offset = box.end + (long ? longAt(view, box.body + 20) : view.getUint32(box.body + 16));
  const first = box.body + (long ? 32 : 24);
  const groups = [];
  for (let at = first; at + 12 <= box.end; at += 12) {
    const end = offset + (view.getUint32(at) & 0x7fffffff);
    const stop = start + view.getUint32(at + 4) / timescale;
    // Whatever begins without a key frame belongs to the group before it.
    if (view.getUint32(at + 8) & SAP || !groups.length) groups.push({ offset, end, start, stop });
    else Object.assign(groups.at(-1), { end, stop });
    [offset, start] = [end, stop];
  }
  return groups;
}

/** Takes a clip's bytes as they come, in order from the beginning of a fragment, and gives every whole moof. */
export class MoofScanner {
  #held = new Uint8Array(0);
  #skip = 0; // bytes of another box that are still to come

  push(bytes) {
    const jump = Math.min(this.#skip, bytes.length);
    this.#skip -= jump;
    const data = joined(this.#held, bytes.subarray(jump));
    const view = viewOf(data);
    const found = [];
    let at = 0;
    while (!this.#skip && data.length - at >= HEAD) {
      const size = view.getUint32(at);
      if (size < HEAD) throw new RangeError("a clip has a box that is shorter than its head");
      if (kindOf(view, at) !== "moof") {
        this.#skip = Math.max(0, at + size - data.length);
        at = Math.min(data.length, at + size);
      } else if (data.length - at < size) break;
      else {
        found.push(data.subarray(at, at + size));
        at += size;
      }
    }
    this.#held = data.slice(at);
    return found;
  }
}

function joined(first, second) {
  if (!first.length) return second;
  const made = new Uint8Array(first.length + second.length);
  made.set(first);
  made.set(second, first.length);
  return made;
}

/** The pictures of a moof, by when they are shown: [start, end) in seconds of the clip. */
export function picturesOf(moof, { timescale, shiftTicks }) {
  const view = viewOf(moof);
  const traf = find(view, { body: 0, end: moof.length }, "moof", "traf"); // the first track: sound comes second
  const tfdt = traf && find(view, traf, "tfdt");
  const trun = traf && find(view, traf, "trun");
  if (!tfdt || !trun) return []; // a clip may end with a fragment without pictures
  let decode = view.getUint8(tfdt.body) ? longAt(view, tfdt.body + 4) : view.getUint32(tfdt.body + 4);
  const flags = view.getUint32(trun.body) & 0xffffff;
  const count = view.getUint32(trun.body + 4);
  const [hasDuration, hasSize, hasFlags, hasOffset] = [0x100, 0x200, 0x400, 0x800].map((flag) => (flags & flag ? 4 : 0));
  let at = trun.body + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  const shown = [];
  let duration = 0;
  for (let number = 0; number < count; number += 1) {
    duration = hasDuration ? view.getUint32(at) : 0;
    shown.push(decode + (hasOffset ? view.getInt32(at + hasDuration + hasSize + hasFlags) : 0) - shiftTicks);
    decode += duration;
    at += hasDuration + hasSize + hasFlags + hasOffset;
  }
  shown.sort((one, other) => one - other);
  return shown.map((start, number) => ({ start: start / timescale, end: (shown[number + 1] ?? start + duration) / timescale }));
}
