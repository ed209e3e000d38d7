// The members' register, and what a member may be told about looks at their data.

import { byId, el, show, takeForm } from "./dom.js";
import { get, getText, post } from "./server.js";
import { full, ownZone, spanText } from "./time.js";
import { t } from "./words.js";

const SHOWN = 50;
const zone = ownZone;
const form = byId("find");

takeForm(form, async () => {
  show(byId("problem"), "");
  byId("looks").hidden = true;
  const query = byId("query").value;
  if (!query.trim()) return;
  try {
    const found = await get("/v1/members", { query, limit: SHOWN + 1 });
    const more = found.length > SHOWN;
    found.splice(SHOWN);
    byId("understood").textContent = more ? t("members.count_more", { count: SHOWN }) : !found.length ? t("find.nothing") : found.length === 1 ? t("members.count_one") : t("members.count", { count: found.length });
    byId("members").replaceChildren(...found.map(card));
  } catch (error) {
    show(byId("problem"), error.message);
  }
});

function card(member) {
  return el(
    "li",
    {},
    el("span", { class: "row" }, el("strong", {}, byId("members").dataset.may ? el("a", { href: `/members/${member.member_id}`, title: t("one_member.all") }, member.name) : member.name), member.minor ? el("span", { class: "badge warn" }, t("member.minor")) : null),
    el("span", { class: "soft" }, member.number),
    byId("members").dataset.register ? el("span", {}, el("a", { href: `/register/${member.member_id}` }, t("register.card"))) : null,
    byId("looks").dataset.may ? el("span", {}, el("button", { type: "button", onclick: () => looks(member, null) }, t("members.looks"))) : null,
  );
}

function tellBookmarks(bookmarks) {
  byId("told-bookmarks").hidden = !bookmarks.length;
  byId("bookmarks").replaceChildren(...bookmarks.map((bookmark) => el("li", {}, [full(Date.parse(bookmark.at), ownZone), bookmark.camera, bookmark.note].filter(Boolean).join(" · "))));
}

async function looks(member, before) {
  try {
    const page = await get(`/v1/members/${member.member_id}/looks`, before ? { before } : {});
    byId("looks").hidden = false;
    byId("looks-title").textContent = t("members.looks_of", { name: member.name });
    const rows = page.looks.map(row);
    if (!before) tellBookmarks(page.bookmarks);
    if (before) byId("look-rows").append(...rows);
    else byId("look-rows").replaceChildren(...(rows.length ? rows : [el("tr", {}, el("td", { colspan: 4 }, t("members.no_looks")))]));
    byId("older").hidden = page.next === null;
    byId("older").onclick = () => looks(member, page.next);
    if (!before) byId("looks").scrollIntoView({ block: "start" });
  } catch (error) {
    show(byId("problem"), error.message);
  }
}

function row(look) {
  const what = [look.camera, look.start ? spanText(Date.parse(look.start), Date.parse(look.end), zone) : null];
  return el(
    "tr",
    {},
    el("td", {}, el("time", { datetime: look.at }, full(Date.parse(look.at), zone))),
    el("td", {}, t(`look.${look.kind}`)),
    el("td", {}, look.purpose ? t(`purpose.${look.purpose}`) : "–"),
    el("td", {}, what.filter(Boolean).join(" · ")),
  );
}

if (byId("new")) {
  const { withCode } = await import("./step_up.js");
  byId("add").addEventListener("click", () => {
    show(byId("new-problem"), "");
    byId("new").showModal();
  });
  byId("new-cancel").addEventListener("click", () => byId("new").close());
  byId("new").querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const made = await post("/v1/register", { number: byId("new-number").value, fields: { name: byId("new-name").value } });
      location.assign(`/register/${made.member_id}`);
    } catch (error) {
      show(byId("new-problem"), error.message);
    }
  });
  byId("export").addEventListener("click", async () => {
    show(byId("problem"), "");
    try {
      const [text] = (await withCode(() => getText("/v1/register.csv"))) ?? [];
      if (text === undefined) return;
      const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
      el("a", { href: address, download: "register.csv" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (error) {
      show(byId("problem"), error.message);
    }
  });
}
