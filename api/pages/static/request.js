// One request of a member: who asks, by when, what was done, and the answer.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { dueText } from "./requests.js";
import { get, getText, post } from "./server.js";
import { withCode } from "./step_up.js";
import { full, ownZone } from "./time.js";
import { t } from "./words.js";

const { request } = byId("request").dataset;
const path = `/v1/requests/${request}`;
const time = (text) => full(Date.parse(text), ownZone);

function facts(each) {
  return {
    "requests.received_at": time(each.received),
    "requests.channel": t(`requests.channel_${each.channel}`),
    "requests.due_at": time(each.due),
    "requests.details": each.details,
    "requests.checked": each.identity && [each.identity, each.identity_by ?? t("requests.by_sign_in"), time(each.identity_at)].join(" · "),
    "requests.extended": each.extension,
    "requests.erased": each.erased && time(each.erased),
    "requests.ended_at": each.ended && [time(each.ended), each.ended_by].filter(Boolean).join(" · "),
    "requests.told": each.answer,
  };
}

function draw(each) {
  byId("name").textContent = t(`requests.kind_${each.kind}`);
  byId("due").replaceChildren(dueText(each));
  byId("who").replaceChildren(each.name ? el("a", { href: `/register/${each.member_id}` }, `${each.name}, ${each.number}`) : t("member.erased"));
  byId("facts").replaceChildren(...Object.entries(facts(each)).flatMap(([key, text]) => (text ? [el("dt", {}, t(key)), el("dd", {}, text)] : [])));
  byId("check-part").hidden = each.state !== "received";
  byId("copy-part").hidden = !each.copy_offered;
  byId("erase-part").hidden = each.state !== "checked" || each.kind !== "erasure" || Boolean(each.erased);
  byId("end-part").hidden = !each.open;
  byId("end").querySelector("[type=submit]").hidden = each.state !== "checked";
  byId("extend").hidden = Boolean(each.extension) || each.late;
  byId("request").hidden = false;
}

async function run(act, said) {
  show(byId("problem"), "");
  try {
    const done = await act();
    if (!done) return;
    draw(done);
    if (said) toast(said);
  } catch (error) {
    show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
    byId("problem").scrollIntoView({ block: "nearest" });
  }
}

function step(name) {
  const text = byId("end-text").value;
  if (!text.trim()) {
    show(byId("problem"), t("requests.words_needed"));
    return byId("end-text").focus();
  }
  return run(async () => {
    const done = await post(`${path}/${name}`, { text });
    byId("end-text").value = "";
    return done;
  }, t("register.saved"));
}

takeForm(byId("check"), () => (byId("check-text").value.trim() ? run(() => post(`${path}/identify`, { text: byId("check-text").value }), t("register.saved")) : byId("check-text").focus()));
takeForm(byId("end"), () => step("answer"));
byId("refuse").addEventListener("click", () => step("refuse"));
byId("extend").addEventListener("click", () => step("extend"));
byId("withdraw").addEventListener("click", () => confirm(t("requests.withdraw_sure")) && run(() => post(`${path}/withdraw`, {}), t("register.saved")));
byId("erase").addEventListener("click", () => confirm(t("requests.erase_sure")) && run(async () => (await withCode(() => post(`${path}/erase-person`, {})))?.[0], t("requests.erased_done")));
byId("copy-json").addEventListener("click", async () => {
  show(byId("problem"), "");
  try {
    const [text] = (await withCode(() => getText(`${path}/copy.json`))) ?? [];
    if (text === undefined) return;
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    el("a", { href: address, download: `copy-${request.slice(0, 8)}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    show(byId("problem"), error.message);
  }
});
run(() => get(path));
