// Cases: which there are, which wait for a review or for a second person, and a new one.

import { byId, el, show } from "./dom.js";
import { get, post } from "./server.js";
import { withCode } from "./step_up.js";
import { ownZone, shortDay } from "./time.js";
import { t } from "./words.js";

const DAY_MS = 86400000;
const TONE = { open: "good", closing: "warn", closed: "" };
const dialog = byId("case");
const query = new URLSearchParams(location.search);

async function load() {
  try {
    const found = await get("/v1/cases");
    byId("cases").replaceChildren(...found.map(card));
    byId("none").hidden = found.length > 0;
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function card(each) {
  const soft = (text) => el("span", { class: "soft" }, text);
  return el(
    "li",
    { data: { case: each.case_id, state: each.state } },
    el("span", { class: "row" }, el("a", { href: `/cases/${each.case_id}${location.search}` }, el("strong", {}, `${each.number} ${each.title}`)), el("span", { class: `badge ${TONE[each.state]}` }, t(`cases.${each.state}`))),
    soft(each.reason),
    soft(t("cases.opened", { name: each.opened_by, day: shortDay(Date.parse(each.opened), ownZone) })),
    each.state === "closed" ? null : el("span", { class: each.review_due ? "problem" : "soft" }, t(each.review_due ? "cases.review_due" : "cases.review", { day: shortDay(Date.parse(each.review), ownZone) })),
    each.may_end ? el("span", { class: "problem" }, t("cases.waits_for_you", { name: each.closing_by })) : null,
  );
}

byId("add").addEventListener("click", () => {
  byId("title").value = byId("reason").value = "";
  byId("review").value = new Date(Date.now() + 30 * DAY_MS).toISOString().slice(0, 10);
  byId("review").min = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);
  show(byId("case-problem"), "");
  dialog.showModal();
});
byId("case-cancel").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  show(byId("case-problem"), "");
  try {
    const body = { title: byId("title").value, reason: byId("reason").value, review: `${byId("review").value}T12:00:00Z` };
    const made = await withCode(() => post("/v1/cases", body));
    if (made) location.assign(`/cases/${made[0].case_id}${location.search}`);
  } catch (error) {
    show(byId("case-problem"), error.message);
  }
});
if (query.has("camera")) show(byId("problem"), t("cases.choose"));
load();
