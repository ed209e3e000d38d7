// Which cameras the player shows: any of the site that the person may look at, added and removed at the moment it is at.

import { byId, el, show } from "../dom.js";
import { get } from "../server.js";
import { t } from "../words.js";

const TOGETHER_MAX = 16; // so many clips of a session the server keeps open

/** playback: has the tiles. site(): the event's, or null. add(camera): shows it. remove(tile): no longer. */
export function installCameras({ playback, site, add, remove }) {
  const dialog = byId("cameras-dialog");
  const list = byId("cameras-list");
  let inventory = null;

  const box = (camera) => {
    const input = el("input", { type: "checkbox", value: camera.camera_id, checked: playback.tiles.some((tile) => tile.cameraId === camera.camera_id) });
    input.addEventListener("change", () => changed(camera, input));
    return el("label", { class: "choice" }, input, el("span", {}, camera.name, camera.removed ? el("small", {}, t("cameras.removed")) : null));
  };

  async function changed(camera, input) {
    show(byId("cameras-problem"), "");
    const tile = playback.tiles.find((each) => each.cameraId === camera.camera_id);
    if (tile) remove(tile);
    limit();
    if (tile || !input.checked) return;
    try {
      await add(camera);
    } catch (error) {
      input.checked = false;
      show(byId("cameras-problem"), error.message);
    }
    limit();
  }

  /** One stays, since a player without a camera has no time to show; and no more than the server keeps open. */
  function limit() {
    const { length } = playback.tiles;
    for (const input of list.querySelectorAll("input")) input.disabled = input.checked ? length === 1 && playback.tiles[0].cameraId === input.value : length >= TOGETHER_MAX;
    byId("cameras-full").hidden = length < TOGETHER_MAX;
  }

  async function open() {
    show(byId("cameras-problem"), "");
    list.replaceChildren();
    dialog.showModal();
    try {
      inventory ??= (await get("/v1/cameras")).filter((camera) => camera.may_look);
      const sites = new Set([site(), ...inventory.filter((camera) => playback.tiles.some((tile) => tile.cameraId === camera.camera_id)).map((camera) => camera.site_id)]);
      const here = inventory.filter((camera) => sites.has(camera.site_id));
      here.sort((one, other) => one.removed - other.removed || one.name.localeCompare(other.name, undefined, { numeric: true }));
      list.replaceChildren(...here.map(box));
      limit();
      list.querySelector("input:enabled")?.focus();
    } catch (error) {
      show(byId("cameras-problem"), error.message);
    }
  }

  byId("cameras").addEventListener("click", open);
  byId("cameras-close").addEventListener("click", () => dialog.close());
}
