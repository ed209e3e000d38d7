// What the register has of the member: corrected in place, the address with a code, consents, and what stood there before.

import { byId, el, show, takeForm, toast } from "../dom.js";
import { get, post, put } from "../server.js";
import { full, ownZone } from "../time.js";
import { t } from "../words.js";

const DAYS = ["birth_date", "member_from", "member_to"];
const OFFERS = ["offers_email", "offers_sms", "offers_post"];
const LINES = ["address", "other"];
const COMPLETE = { name: "name", phone: "tel", address: "street-address" };
let shown = {};
let asked = null;

const time = (text) => full(Date.parse(text), ownZone);
const day = (text) => text && full(Date.parse(`${text}T00:00:00Z`), "UTC").split(" ")[0];
const source = (each) => (each.source ? t("register.source_since", { source: t(`me.source_${each.source}`), time: time(each.since) }) : "");

function said(each) {
  if (OFFERS.includes(each.field)) return t(`register.offers_${each.value || "unsaid"}`);
  return DAYS.includes(each.field) ? day(each.value) : each.value;
}

function input(each) {
  const common = { id: `field-${each.field}`, name: each.field, "aria-describedby": `source-${each.field}`, autocomplete: COMPLETE[each.field] ?? "off" };
  if (OFFERS.includes(each.field)) return el("select", common, ...["", "no", "yes"].map((value) => el("option", { value, selected: value === each.value }, t(`register.offers_${value || "unsaid"}`))));
  if (LINES.includes(each.field)) return el("textarea", { ...common, rows: 3, maxlength: 1000 }, each.value);
  return el("input", { ...common, type: each.field === "phone" ? "tel" : "text", value: each.value, maxlength: 300 });
}

function row(each) {
  const help = el("p", { class: "help", id: `source-${each.field}` }, source(each));
  if (each.may_change) return el("div", {}, el("label", { for: `field-${each.field}` }, t(`field.${each.field}`)), input(each), help);
  return el("div", { class: "fixed", data: { field: each.field } }, el("strong", {}, t(`field.${each.field}`)), el("p", {}, said(each)), help);
}

function draw(card) {
  const fields = Object.fromEntries(card.fields.map((each) => [each.field, each]));
  shown = Object.fromEntries(card.fields.map((each) => [each.field, each.value]));
  byId("name").textContent = card.name;
  byId("number").textContent = t("register.number_is", { number: card.number });
  const rows = card.fields.filter((each) => each.field !== "email" && (each.may_change || (each.value && each.field !== "name")));
  byId("rows").replaceChildren(...rows.map(row));
  byId("save").hidden = !rows.some((each) => each.may_change);
  byId("email-now").textContent = fields.email.value;
  byId("email-form").hidden = !fields.email.may_change || Boolean(asked);
  byId("confirm-form").hidden = !asked;
  byId("sent").textContent = asked ? t("me.sent_new", { email: asked.email }) : "";
  byId("no-consents").hidden = Boolean(card.consents.length);
  byId("consents").replaceChildren(...card.consents.map(consent));
  byId("offered-part").hidden = !card.offered.length;
  byId("offered").replaceChildren(...card.offered.map(offer));
  byId("own").hidden = false;
  draw.last = card;
  if (byId("history").open) history();
}

function consent(each) {
  const end = each.withdrawn ? el("span", { class: "badge" }, t("register.withdrawn")) : el("span", { class: "badge good" }, t("register.holds"));
  const given = [each.how === "member" ? t("me.how_member") : t(`register.how_${each.how}`), time(each.given), each.withdrawn && t("register.withdrawn_at", { time: time(each.withdrawn) })].filter(Boolean).join(" · ");
  const button = each.withdrawn ? null : el("button", { type: "button", "aria-label": `${t("me.withdraw")}: ${each.purpose}`, onclick: () => run(() => post(`/v1/me/consents/${each.consent_id}/withdraw`, {}), t("me.withdrawn_done")) }, t("me.withdraw"));
  return el("li", { data: { consent: each.consent_id } }, el("p", {}, el("strong", {}, each.purpose), " ", end), el("p", { class: "soft" }, given), button);
}

function offer(text) {
  const give = () => run(() => post("/v1/me/consents", { purpose: text }), t("register.saved"));
  return el("li", {}, el("p", {}, text), el("button", { type: "button", "aria-label": `${t("me.give")}: ${text}`, onclick: give }, t("me.give")));
}

async function history() {
  const versions = await get("/v1/me/history");
  const line = (each) => [t(`me.source_${each.source}`), each.until ? `${time(each.since)}–${time(each.until)}` : t("me.since", { time: time(each.since) })].join(" · ");
  byId("versions").replaceChildren(...versions.map((each) => el("li", {}, el("p", {}, el("strong", {}, `${t(`field.${each.field}`)}: `), each.value ? said(each) : t("register.removed")), el("p", { class: "soft" }, line(each)))));
}

async function run(act, done) {
  show(byId("problem"), "");
  show(byId("away"), "");
  try {
    draw(await act());
    if (done) toast(done);
  } catch (error) {
    const place = byId(byId("own").hidden ? "away" : "problem");
    show(place, error.code === "not-found" ? t("problem.not-found_help") : error.message);
    place.scrollIntoView({ block: "nearest" });
  }
}

takeForm(byId("fields"), (form) => {
  const typed = [...form.elements].filter((each) => each.name && each.value !== shown[each.name]);
  if (!typed.length) return toast(t("register.nothing_changed"));
  return run(() => put("/v1/me", { fields: Object.fromEntries(typed.map((each) => [each.name, each.value])) }), t("register.saved"));
});
takeForm(byId("email-form"), async () => {
  const email = byId("email").value.trim();
  if (!email) return byId("email").focus();
  await run(async () => {
    asked = { email, ...(await post("/v1/me/email", { email })) };
    return draw.last;
  });
  return asked && byId("code").focus();
});
takeForm(byId("confirm-form"), async () => {
  const code = byId("code").value.trim();
  if (!code) return byId("code").focus();
  return run(async () => {
    const card = await post("/v1/me/email/confirm", { request: asked.request, email: asked.email, code });
    asked = null;
    byId("code").value = byId("email").value = "";
    return card;
  }, t("me.email_changed"));
});
byId("cancel").addEventListener("click", () => {
  asked = null;
  byId("code").value = "";
  draw(draw.last);
});
byId("history").addEventListener("toggle", () => {
  if (byId("history").open) history().catch((error) => show(byId("problem"), error.message));
});
run(() => get("/v1/me"));
