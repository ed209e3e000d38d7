// A picture made larger within its place: by the wheel with Ctrl (a pinch on a touch pad), two fingers, or keys.

const MOST = 8;
const STEP = 1.5; // of a key
export const WHOLE = Object.freeze({ scale: 1, x: 0, y: 0 });

/** The view after zooming by ``factor`` around a point, and then moving it by ``move``. Points are shares of the place, 0
 * to 1 each way; {scale, x, y} says that the share x, y of the picture lies at the place's left and upper edge. The
 * picture always fills its place. */
export function magnified({ scale, x, y }, factor, around = { x: 0.5, y: 0.5 }, move = { x: 0, y: 0 }) {
  const next = Math.min(MOST, Math.max(1, scale * factor));
  const edge = (begin, point, by) => Math.min(1 - 1 / next, Math.max(0, begin + point / scale - point / next - by / next));
  return { scale: next, x: edge(x, around.x, move.x), y: edge(y, around.y, move.y) };
}

export class Magnifier {
  #place;
  #video;
  #view = WHOLE;
  #pointers = new Map();

  constructor(place, video) {
    this.#place = place;
    this.#video = video;
    place.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    place.addEventListener("pointerdown", (event) => this.#down(event));
    place.addEventListener("pointermove", (event) => this.#moved(event));
    for (const end of ["pointerup", "pointercancel"]) place.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
    place.addEventListener("dblclick", () => this.reset());
  }

  get scale() {
    return this.#view.scale;
  }

  /** direction: 1 larger, -1 smaller. */
  step(direction) {
    this.#set(magnified(this.#view, STEP ** direction));
  }

  reset() {
    this.#set(WHOLE);
  }

  #wheel(event) {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    this.#set(magnified(this.#view, Math.exp(-event.deltaY / 200), this.#share(event)));
  }

  #down(event) {
    this.#pointers.set(event.pointerId, this.#share(event));
    if (this.scale > 1 || this.#pointers.size > 1) for (const id of this.#pointers.keys()) this.#place.setPointerCapture(id);
  }

  /** One finger or the mouse moves what is enlarged; two fingers also change how much. */
  #moved(event) {
    if (!event.buttons) this.#pointers.delete(event.pointerId); // it was let go outside
    const from = this.#pointers.get(event.pointerId);
    if (!from) return undefined;
    const to = this.#share(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, to);
    const moved = { x: to.x - from.x, y: to.y - from.y };
    if (!other) return this.scale > 1 && this.#set(magnified(this.#view, 1, to, moved));
    const middle = (point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
    const apart = (point) => Math.max(0.01, Math.hypot(point.x - other.x, point.y - other.y));
    return this.#set(magnified(this.#view, apart(to) / apart(from), middle(from), { x: moved.x / 2, y: moved.y / 2 }));
  }

  #share({ clientX, clientY }) {
    const { left, top, width, height } = this.#place.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  #set(view) {
    this.#view = view;
    const { scale, x, y } = view;
    this.#video.style.transform = scale === 1 ? "" : `scale(${scale}) translate(${-100 * x}%, ${-100 * y}%)`;
    this.#place.classList.toggle("magnified", scale > 1);
  }
}
