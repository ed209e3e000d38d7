// Asking for exports, following them, fetching them: for the player's dialog and for the page of exports.

import { el } from "./dom.js";
import { get, head, iso, post, purpose } from "./server.js";

const EVERY_MS = 400;

export const askExport = (cameras, start, end, format, masked) =>
  post("/v1/exports", { camera_ids: cameras, start: iso(start), end: iso(end), format, masked });

/** Until it is neither waiting nor at work, or nobody looks any more. */
export async function followExport(asked, bar, looking) {
  let found = asked;
  while (found.state === "working" && looking()) {
    advance(bar, found);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    found = await get(`/v1/exports/${asked.export_id}`);
  }
  return found;
}

export function advance(bar, { done_bytes: done, total_bytes: total }) {
  if (!total) bar.removeAttribute("value");
  else {
    bar.max = total;
    bar.value = done;
  }
}

/** The browser's own download. Asked first without a body: a refusal is told on the page, not in a file. */
export async function fetchExport(made) {
  const address = `/v1/exports/${made.export_id}/download?${new URLSearchParams({ purpose })}`;
  await head(address);
  const link = el("a", { href: address, download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}
