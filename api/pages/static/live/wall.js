// A person's wall of a site: which cameras, in which order. Kept by the server, since desks are shared.

import { byId, el } from "../dom.js";
import { get, put } from "../server.js";
import { t } from "../words.js";

export const WALL_MAX = 16;

/** Those of a site's cameras that are on the wall, in its order; without one the first of them. At most WALL_MAX. */
export function ordered(cameras, wall = []) {
  const chosen = wall.map((id) => cameras.find((camera) => camera.camera_id === id)).filter(Boolean);
  return (chosen.length ? chosen : cameras).slice(0, WALL_MAX);
}

/** The list with one entry moved by one place; the same where it stands at the end. */
export function moved(list, from, by) {
  const to = Math.max(0, Math.min(list.length - 1, from + by));
  const rest = list.filter((_, number) => number !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}

export class Wall {
  #walls = new Map();
  #rows = []; // {camera, shown} in their order, while it is arranged
  #site = "";
  #fill = () => {};

  /** changed(): after a wall was saved. */
  constructor(changed) {
    this.changed = changed;
    byId("arrange").addEventListener("click", () => this.#open());
    byId("wall-cancel").addEventListener("click", () => byId("wall-dialog").close());
    byId("wall-reset").addEventListener("click", () => this.#save([]));
    byId("wall-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(this.#rows.filter(({ shown }) => shown).map(({ camera }) => camera.camera_id));
    });
  }

  async load() {
    for (const { site_id, camera_ids } of await get("/v1/live/walls")) this.#walls.set(site_id, camera_ids);
  }

  /** The cameras to show of a site's. */
  of(site, cameras, compare) {
    this.#site = site;
    const byName = [...cameras].sort((one, other) => compare(one.name, other.name));
    const shown = ordered(byName, this.#walls.get(site));
    this.#fill = () => (this.#rows = [...shown, ...byName.filter((camera) => !shown.includes(camera))].map((camera) => ({ camera, shown: shown.includes(camera) })));
    return shown;
  }

  #open() {
    this.#fill(); // what was changed and not saved is forgotten
    byId("wall-problem").hidden = true;
    byId("wall-reset").hidden = !this.#walls.has(this.#site);
    this.#list();
    byId("wall-dialog").showModal();
  }

  #list() {
    byId("wall-rows").replaceChildren(...this.#rows.map((row, number) => this.#row(row, number)));
    const count = this.#rows.filter(({ shown }) => shown).length;
    byId("wall-count").textContent = t("wall.count", { count, most: WALL_MAX });
    byId("wall-save").disabled = count === 0 || count > WALL_MAX;
  }

  #row(row, number) {
    const { name } = row.camera;
    const box = el("input", { type: "checkbox", onchange: () => this.#choose(row, box.checked) });
    box.checked = row.shown;
    const move = (by, sign, text) =>
      el("button", { type: "button", class: "quiet", "aria-label": t(text, { camera: name }), title: t(text, { camera: name }), disabled: number + by < 0 || number + by >= this.#rows.length, onclick: () => this.#move(number, by) }, sign);
    const item = el("li", { draggable: "true" }, el("label", {}, box, el("span", {}, name)), move(-1, "↑", "wall.earlier"), move(1, "↓", "wall.later"));
    item.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", String(number)));
    item.addEventListener("dragover", (event) => event.preventDefault());
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      const from = Number(event.dataTransfer.getData("text/plain"));
      if (this.#rows[from]) this.#move(from, number - from);
    });
    return item;
  }

  #choose(row, shown) {
    row.shown = shown;
    const focused = this.#rows.indexOf(row);
    this.#list();
    byId("wall-rows").children[focused].querySelector("input").focus();
  }

  #move(from, by) {
    this.#rows = moved(this.#rows, from, by);
    this.#list();
    const buttons = byId("wall-rows").children[from + by].querySelectorAll("button");
    const button = buttons[by < 0 ? 0 : 1];
    (button.disabled ? buttons[by < 0 ? 1 : 0] : button).focus();
  }

  async #save(ids) {
    try {
      await put(`/v1/live/walls/${this.#site}`, { camera_ids: ids });
    } catch (error) {
      byId("wall-problem").textContent = error.message;
      byId("wall-problem").hidden = false;
      return;
    }
    if (ids.length) this.#walls.set(this.#site, ids);
    else this.#walls.delete(this.#site);
    byId("wall-dialog").close();
    this.changed();
  }
}
