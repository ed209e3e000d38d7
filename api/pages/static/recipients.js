// To whom a member's data or footage was given, and a new entry, recorded before something leaves.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { get, post } from "./server.js";
import { withCode } from "./step_up.js";
import { full, ownZone } from "./time.js";
import { t } from "./words.js";

const { member } = byId("card").dataset;
const path = `/v1/members/${member}/recipients`;
const field = (name) => byId(`recipient-${name}`);

function card(each) {
  const soft = (text) => (text ? el("span", { class: "soft" }, text) : null);
  return el(
    "li",
    { data: { recipient: each.recipient_id } },
    el("span", { class: "row" }, el("strong", {}, each.name), el("span", { class: "badge" }, t(`recipients.kind_${each.kind}`))),
    el("span", {}, each.what),
    soft(each.why),
    soft([t(`recipients.basis_${each.basis}`), each.consent, each.reference].filter(Boolean).join(" · ")),
    soft([full(Date.parse(each.at), ownZone), each.by].join(" · ")),
    each.receipt ? el("span", { class: "soft mono" }, each.receipt) : null,
  );
}

function draw(found) {
  byId("recipients").replaceChildren(...found.map(card));
  byId("no-recipients").hidden = Boolean(found.length);
}

async function run(act) {
  show(byId("problem"), "");
  try {
    const found = await act();
    if (found) draw(found);
    return Boolean(found);
  } catch (error) {
    show(byId("problem"), error.message);
    byId("problem").scrollIntoView({ block: "nearest" });
    return false;
  }
}

/** The consents that hold, as the card has them. */
export function offerConsents(consents) {
  const held = (consents ?? []).filter((each) => !each.withdrawn);
  field("consent").replaceChildren(el("option", { value: "" }, "–"), ...held.map((each) => el("option", { value: each.consent_id }, each.purpose)));
}

takeForm(byId("recipient-form"), async () => {
  const body = Object.fromEntries(["kind", "name", "what", "why", "basis", "reference", "receipt"].map((name) => [name, field(name).value.trim()]));
  const blank = ["name", "what", "why"].find((name) => !body[name]);
  if (blank) return field(blank).focus();
  const consent = body.basis === "consent" && field("consent").value ? { consent_id: field("consent").value } : {};
  const done = await run(async () => (await withCode(() => post(path, { ...body, ...consent })))?.[0]);
  if (!done) return undefined;
  for (const name of ["name", "what", "why", "reference", "receipt"]) field(name).value = "";
  return toast(t("register.saved"));
});
byId("recipients-part").addEventListener("toggle", () => byId("recipients-part").open && run(() => get(path)));
