// What became of exports: who did what when, and why. A page at a time, the newest first.

import { byId, el, show, toast } from "./dom.js";
import { get } from "./server.js";
import { full, spanText } from "./time.js";
import { has, t } from "./words.js";

let next = null;

const soft = (...parts) => el("span", { class: "soft" }, ...parts);
const reasonOf = (step) => (step.step === "failed" ? t(`problem.${step.reason}`) : step.reason);

/** of: one export's id; else those that concern the person. */
export async function showHistory(of = null) {
  byId("steps").replaceChildren();
  next = null;
  await more(of);
  byId("older").onclick = () => more(of).catch((error) => toast(error.message));
}

async function more(of) {
  const found = await get("/v1/export-history", { ...(of ? { export_id: of } : {}), ...(next ? { before: next } : {}) });
  next = found.next;
  byId("steps").append(...found.steps.map((step) => line(step, of)));
  byId("older").hidden = !next;
  show(byId("no-steps"), byId("steps").children.length ? "" : t("export_history.none"));
}

function line(step, of) {
  const at = full(Date.parse(step.at), step.time_zone);
  const name = `export_history.${step.step}`;
  const what = t(step.who && has(`${name}_by`) ? `${name}_by` : name, { name: step.who ?? "" });
  return el(
    "li",
    { data: { step: step.step } },
    el("span", {}, el("time", { datetime: step.at }, at), " ", el("strong", {}, what)),
    step.reason ? el("span", {}, t("export_history.reason", { reason: reasonOf(step) })) : null,
    of ? null : soft(el("a", { href: `/exports/${step.export_id}` }, `${step.cameras.join(", ") || "–"} · ${spanText(Date.parse(step.start), Date.parse(step.end), step.time_zone)}`)),
  );
}
