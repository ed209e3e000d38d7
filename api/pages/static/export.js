// One export. To who may decide about it: the clip first, as their own look, then two buttons. To its asker: how it stands.

import { byId, el, show, toast } from "./dom.js";
import { who } from "./events.js";
import { showHistory } from "./history.js";
import { listGaps } from "./player/around.js";
import { span } from "./player/known.js";
import { Playback } from "./player/playback.js";
import { Tile } from "./player/tile.js";
import { Timeline } from "./player/timeline.js";
import { get, iso, post } from "./server.js";
import { withCode } from "./step_up.js";
import { clock, full, lengthText, spanText } from "./time.js";
import { t } from "./words.js";

const ONE_CLIP_MS = 10 * 60_000; // what is longer is fetched in pieces, each a look
const MARGIN = 0.04; // of the timeline, on either side of what is asked for
const root = byId("player");
const path = `/v1/exports/${root.dataset.export}`;
const refusal = byId("refusal");
let minor = false; // what this page has said, and an approval therefore knows
let playback = null;

async function open() {
  try {
    const found = await get(path);
    if (found.may_approve) await preview();
    else describe(found);
    await showHistory(root.dataset.export);
  } catch (error) {
    root.dataset.state = "failed";
    show(byId("problem"), error.code === "not-found" ? t("problem.not-found_help") : error.message);
  }
}

/** What there is to be seen and said is on record before any of it opens. */
async function preview() {
  const seen = await post(`${path}/preview`, {});
  const whole = span({ start: seen.export.start, end: seen.export.end });
  const zone = seen.export.time_zone;
  describe(seen.export);
  byId("recorded").textContent = t(seen.export.masked ? "export_page.recorded_masked" : "export_page.recorded");
  byId("stage").hidden = byId("recorded").hidden = false;
  const timeline = new Timeline(byId("timeline"), zone);
  const margin = (whole.end - whole.start) * MARGIN;
  timeline.view = { start: whole.start - margin, end: whole.end + margin };
  timeline.mark = whole;
  playback = new Playback({ time: whole.start, timeline, zone: () => zone, within: whole });
  for (const camera of seen.cameras) {
    const address = (start, end) => `${path}/cameras/${camera.camera_id}/clip.mp4?${new URLSearchParams({ start: iso(start), end: iso(end), purpose: seen.purpose_id })}`;
    const one = whole.end - whole.start <= ONE_CLIP_MS ? whole : {};
    const tile = new Tile({ ...camera, ...one, address }, (each) => playback.enlarge(each));
    tile.setTimeline({ ...whole, footage: camera.footage.map(span), gaps: camera.gaps.map(span) });
    playback.add(tile);
  }
  const { tiles } = playback;
  timeline.setRows(tiles.map(({ name, footage, gaps }) => ({ name, footage, gaps })), []);
  listPeople(seen, zone);
  listGaps(tiles, zone, (time) => playback.seek(time));
  byId("stage").inert = false;
  playback.start();
}

function describe(one) {
  const zone = one.time_zone;
  const whole = span({ start: one.start, end: one.end });
  minor = one.minor;
  root.dataset.state = "ready";
  root.dataset.export = one.export_id;
  byId("state").className = `badge ${{ approval: "warn", refused: "bad", failed: "bad", ready: "good" }[one.state] ?? ""}`;
  byId("state").textContent = t(`exports.${one.state}`);
  byId("headline").textContent = one.cameras.map((camera) => camera.name).join(", ");
  const facts = [
    ["export_page.by", one.asked_by],
    ["export_page.why", `${t(`purpose.${one.purpose}`)}: ${one.reason}`],
    ["export_page.when", full(Date.parse(one.created), zone)],
    ["export_page.span", `${spanText(whole.start, whole.end, zone)} (${lengthText(whole.end - whole.start)})`],
    ["export_page.as", one.masked ? `${one.format.toUpperCase()}, ${t("exports.masked")}` : one.format.toUpperCase()],
    one.ended_by ? [`export_page.${one.state}_by`, `${one.ended_by}, ${full(Date.parse(one.ended), zone)}`] : null,
    one.refusal ? ["export_page.refusal", one.refusal] : null,
    one.state === "lapsed" ? ["export_page.lapsed", t("problem.export-lapsed")] : null,
    one.approved_by ? ["export_page.approved_by", one.approved_by] : null,
  ];
  byId("facts").replaceChildren(...facts.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)]));
  byId("asked").hidden = false;
  byId("decision").hidden = !one.may_approve && !one.may_cancel && !one.one_hand;
  byId("minor").hidden = !one.minor;
  byId("approve").hidden = byId("refuse").hidden = !one.may_approve;
  byId("cancel-export").hidden = !one.may_cancel;
  if (one.one_hand && one.state === "approval") show(byId("problem"), t("exports.one_hand"));
}

function listPeople({ members, more_members: more }, zone) {
  byId("people").hidden = false;
  byId("no-members").hidden = members.length > 0;
  byId("more-members").hidden = !more;
  byId("members").replaceChildren(
    ...members.map((member) =>
      el(
        "li",
        { data: { member: member.member_id } },
        el(
          "button",
          { type: "button", onclick: () => playback.seek(Date.parse(member.first)) },
          el("time", { datetime: member.first }, clock(Date.parse(member.first), zone)),
          el("span", {}, who(member), el("span", { class: "soft" }, member.number ?? "")),
          member.minor ? el("span", { class: "badges" }, el("span", { class: "badge warn" }, t("member.minor"))) : null,
        ),
      ),
    ),
  );
}

/** null: the person gave up. */
async function decide(act) {
  show(byId("problem"), "");
  try {
    const done = await withCode(act);
    if (!done) return;
    if (playback) {
      for (const tile of [...playback.tiles]) playback.remove(tile);
      byId("stage").hidden = byId("recorded").hidden = true;
    }
    describe(done[0]);
    toast(t(`exports.${done[0].state}_done`));
    dispatchEvent(new Event("exports-decided"));
    await showHistory(root.dataset.export);
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

byId("approve").addEventListener("click", () => decide(() => post(`${path}/approve`, { minor })));
byId("cancel-export").addEventListener("click", () => decide(() => post(`${path}/cancel`, {})));
byId("refuse").addEventListener("click", () => {
  byId("refusal-reason").value = "";
  show(byId("refusal-problem"), "");
  refusal.showModal();
});
byId("refusal-cancel").addEventListener("click", () => refusal.close());
refusal.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const reason = byId("refusal-reason").value.replace(/\s+/g, " ").trim();
  if (reason.length < 3) return show(byId("refusal-problem"), t("refusal.empty"));
  refusal.close();
  return decide(() => post(`${path}/refuse`, { reason }));
});

open();
