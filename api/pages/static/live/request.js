// One request for all live looks of a page: it lasts as long as they do. Frames come back: kind, look, length, contents.

import { stream } from "../server.js";

export const MESSAGE = 0;
export const INIT = 3;
export const FRAGMENT = 4;
const HEAD = 6;
const NO_LOOK = 255;

/** looks: [{camera_id, offer}]; heard(look, kind, contents): contents of a MESSAGE parsed, else bytes. Until it ends. */
export async function watch(looks, heard, signal) {
  const answer = await stream("/v1/live", { cameras: looks }, signal);
  const reader = answer.body.getReader();
  const held = new Held();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held.push(value);
    for (let frame = held.take(); frame; frame = held.take()) {
      const [kind, look, body] = frame;
      if (look !== NO_LOOK) heard(look, kind, kind === MESSAGE ? JSON.parse(new TextDecoder().decode(body)) : body);
    }
  }
}

/** Bytes that came, until they make a frame. */
class Held {
  pieces = [];
  size = 0;

  push(piece) {
    this.pieces.push(piece);
    this.size += piece.length;
  }

  take() {
    if (this.size < HEAD) return null;
    const head = new DataView(this.join().buffer);
    const size = head.getUint32(2);
    if (this.size < HEAD + size) return null;
    const all = this.join();
    this.pieces = [all.slice(HEAD + size)];
    this.size -= HEAD + size;
    return [all[0], all[1], all.slice(HEAD, HEAD + size)];
  }

  join() {
    if (this.pieces.length === 1 && this.pieces[0].byteOffset === 0) return this.pieces[0];
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    this.pieces = [all];
    return all;
  }
}
