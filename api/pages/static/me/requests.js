// What the member has asked for, what they were answered, and a new request.

import { byId, el, show, takeForm, toast } from "../dom.js";
import { get, post } from "../server.js";
import { ownZone, shortDay } from "../time.js";
import { t } from "../words.js";

const day = (text) => shortDay(Date.parse(text), ownZone);

function card(each) {
  const soft = (text) => el("span", { class: "soft" }, text);
  return el(
    "li",
    { data: { kind: each.kind, open: each.open } },
    el("span", { class: "row" }, el("strong", {}, t(`me.kind_${each.kind}`)), el("span", { class: each.open ? "badge good" : "badge" }, t(`me.request_${each.state}`))),
    soft(each.open ? t("me.request_due", { day: day(each.received), due: day(each.due) }) : t("me.request_came", { day: day(each.received) })),
    each.details ? el("span", {}, each.details) : null,
    each.extension ? el("span", {}, t("me.request_extended", { why: each.extension })) : null,
    each.answer ? el("span", {}, el("strong", {}, t("me.request_answer")), ` ${each.answer}`) : null,
    each.open ? el("span", {}, el("button", { type: "button", onclick: () => takeBack(each) }, t("me.request_take_back"))) : null,
  );
}

function draw(found) {
  byId("list").replaceChildren(...found.map(card));
  byId("list").removeAttribute("aria-busy");
  byId("none").hidden = Boolean(found.length);
}

let asked = 0;
let drawn = 0; // an answer to an earlier question that comes late would hide what was done since

async function run(act, said) {
  const turn = ++asked;
  show(byId("problem"), "");
  try {
    const found = await act();
    if (turn > drawn) draw(found);
    drawn = Math.max(drawn, turn);
    if (said) toast(said);
    return true;
  } catch (error) {
    show(byId("problem"), error.message);
    byId("problem").scrollIntoView({ block: "nearest" });
    return false;
  }
}

const takeBack = (each) => confirm(t("me.request_take_back_sure")) && run(() => post(`/v1/me/requests/${each.request_id}/withdraw`, {}), t("me.request_taken_back"));

takeForm(byId("ask"), async () => {
  const done = await run(() => post("/v1/me/requests", { kind: byId("kind").value, details: byId("details").value }), t("me.asked"));
  if (done) byId("details").value = "";
});
run(() => get("/v1/me/requests"));
