// In the menu of every page: how many exports wait for this person's decision.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

const EVERY_MS = 20_000;
const place = byId("waiting");

/** Not through server.js: a failure here does not send the person away from the page. */
async function look() {
  try {
    const answer = await fetch("/v1/exports-waiting", { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (answer.status === 401) return;
    if (answer.ok) say((await answer.json()).waiting);
  } catch {
    // What it said last stays until the next answer.
  }
  setTimeout(look, EVERY_MS);
}

function say(count) {
  place.hidden = !count;
  place.replaceChildren(el("span", { "aria-hidden": "true" }, String(count)), el("span", { class: "visually-hidden" }, t(count === 1 ? "exports.one_waits" : "exports.wait", { count })));
}

/** Once something was decided. */
addEventListener("exports-decided", () => look());
look();
