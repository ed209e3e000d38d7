// A member's card: what the person's roles show of it, changed in place, with its consents and its history.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { get, iso, post, put } from "./server.js";
import { fromField, full, ownZone, toField } from "./time.js";
import { t } from "./words.js";

const DAYS = ["birth_date", "member_from", "member_to"];
const OFFERS = ["offers_email", "offers_sms", "offers_post"];
const LINES = ["address", "other"];
const { member } = byId("card").dataset;
const path = `/v1/register/${member}`;
const recipients = byId("recipient-form") ? await import("./recipients.js") : null;
let shown = {};

const time = (text) => full(Date.parse(text), ownZone);
const sourceText = (each) => [each.source && t(`register.source_${each.source}`), each.by].filter(Boolean).join(", ");

function input(each) {
  const common = { id: `field-${each.field}`, name: each.field, disabled: !each.may_change, "aria-describedby": `source-${each.field}` };
  if (OFFERS.includes(each.field)) {
    const options = ["", "no", "yes"].map((value) => el("option", { value, selected: value === each.value }, t(`register.offers_${value || "unsaid"}`)));
    return el("select", common, ...options);
  }
  if (LINES.includes(each.field)) return el("textarea", { ...common, rows: 3, maxlength: 1000 }, each.value);
  const type = DAYS.includes(each.field) ? "date" : each.field === "email" ? "email" : each.field === "phone" ? "tel" : "text";
  return el("input", { ...common, type, value: each.value, maxlength: 300, autocomplete: "off" });
}

function row(each) {
  const since = each.since ? t("register.source_since", { source: sourceText(each), time: time(each.since) }) : "";
  return el("div", {}, el("label", { for: `field-${each.field}` }, t(`field.${each.field}`)), input(each), el("p", { class: "help", id: `source-${each.field}` }, since));
}

function draw(card) {
  shown = Object.fromEntries(card.fields.map((each) => [each.field, each.value]));
  byId("name").textContent = card.name;
  byId("number").textContent = t("register.number_is", { number: card.number });
  byId("minor").hidden = !card.minor;
  document.title = `${card.name} – Tallenne`;
  byId("rows").replaceChildren(...card.fields.map(row));
  byId("save").hidden = !card.fields.some((each) => each.may_change);
  byId("consents-part").hidden = card.consents === null;
  byId("consent-form").hidden = !card.may_change_consents;
  byId("no-consents").hidden = Boolean(card.consents?.length);
  byId("consents").replaceChildren(...(card.consents ?? []).map((each) => consent(each, card.may_change_consents)));
  byId("card").hidden = false;
  if (byId("history").open) history();
  recipients?.offerConsents(card.consents);
}

function consent(each, mayChange) {
  const end = each.withdrawn ? el("span", { class: "badge" }, t("register.withdrawn")) : el("span", { class: "badge good" }, t("register.holds"));
  const given = [t(`register.how_${each.how}`), time(each.given), each.recorded_by].filter(Boolean).join(" · ");
  return el(
    "li",
    { data: { consent: each.consent_id } },
    el("span", { class: "row" }, el("strong", {}, each.purpose), end),
    el("span", { class: "soft" }, given),
    each.withdrawn ? el("span", { class: "soft" }, t("register.withdrawn_at", { time: time(each.withdrawn) })) : null,
    mayChange && !each.withdrawn ? el("span", {}, el("button", { type: "button", onclick: () => withdraw(each) }, t("register.withdraw"))) : null,
  );
}

async function history() {
  const versions = await get(`${path}/history`);
  byId("versions").replaceChildren(
    ...versions.map((each) =>
      el("tr", {}, el("td", {}, time(each.since)), el("td", {}, each.until ? time(each.until) : "–"), el("td", {}, t(`field.${each.field}`)), el("td", {}, each.value || t("register.removed")), el("td", {}, sourceText(each))),
    ),
  );
}

async function run(act, said) {
  show(byId("problem"), "");
  try {
    draw(await act());
    if (said) toast(said);
  } catch (error) {
    show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
    byId("problem").scrollIntoView({ block: "nearest" });
  }
}

const withdraw = (each) => confirm(t("register.withdraw_sure", { purpose: each.purpose })) && run(() => post(`${path}/consents/${each.consent_id}/withdraw`, { how: "desk" }), t("register.saved"));

takeForm(byId("fields"), (form) => {
  const typed = [...form.elements].filter((each) => each.name && !each.disabled && each.value !== shown[each.name]);
  if (!typed.length) return toast(t("register.nothing_changed"));
  return run(() => put(path, { fields: Object.fromEntries(typed.map((each) => [each.name, each.value])) }), t("register.saved"));
});
takeForm(byId("consent-form"), async () => {
  if (!byId("consent-purpose").value.trim()) return byId("consent-purpose").focus();
  await run(() => post(`${path}/consents`, { purpose: byId("consent-purpose").value, how: byId("consent-how").value }), t("register.saved"));
  byId("consent-purpose").value = "";
  return undefined;
});
byId("history").addEventListener("toggle", () => {
  if (byId("history").open) history().catch((error) => show(byId("problem"), error.message));
});
if (byId("request-form")) {
  const today = toField(Date.now(), ownZone).slice(0, 10);
  byId("request-received").value = byId("request-received").max = today;
  takeForm(byId("request-form"), async () => {
    const day = byId("request-received").value;
    // Of today: now. Of another day: its beginning, from which the month counts.
    const received = day === today ? Date.now() : fromField(`${day}T00:00:00`, ownZone);
    if (Number.isNaN(received)) return byId("request-received").focus();
    try {
      const body = { member_id: member, kind: byId("request-kind").value, channel: byId("request-channel").value, details: byId("request-details").value };
      const made = await post("/v1/requests", { ...body, ...(day === today ? {} : { received: iso(received) }) });
      location.assign(`/requests/${made.request_id}`);
    } catch (error) {
      show(byId("problem"), error.message);
      byId("problem").scrollIntoView({ block: "nearest" });
    }
    return undefined;
  });
}
run(() => get(path));
