// What each role sees of the register: a row per field, a column per role.

import { byId, el, show, takeForm, toast } from "./dom.js";
import { get, put } from "./server.js";
import { withCode } from "./step_up.js";
import { t } from "./words.js";

const LEVELS = ["", "see", "change"];
const levelText = (level) => t(`register.level_${level || "none"}`);

function draw({ fields, rights }) {
  const roles = Object.keys(rights);
  byId("roles").replaceChildren(el("th", { scope: "col" }, t("register.field")), ...roles.map((role) => el("th", { scope: "col" }, t(`role_name.${role}`))));
  byId("rows").replaceChildren(
    ...fields.map((field) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, t(`field.${field}`)),
        ...roles.map((role) => {
          const options = LEVELS.map((level) => el("option", { value: level, selected: (rights[role][field] ?? "") === level }, levelText(level)));
          return el("td", {}, el("select", { data: { role, field }, "aria-label": `${t(`field.${field}`)}, ${t(`role_name.${role}`)}` }, ...options));
        }),
      ),
    ),
  );
}

function typed() {
  const rights = {};
  for (const select of byId("rows").querySelectorAll("select")) {
    const { role, field } = select.dataset;
    rights[role] ??= {};
    if (select.value) rights[role][field] = select.value;
  }
  return rights;
}

async function run(act) {
  show(byId("problem"), "");
  try {
    return await act();
  } catch (error) {
    show(byId("problem"), error.message);
    return null;
  }
}

takeForm(byId("rights"), async () => {
  const done = await run(() => withCode(() => put("/v1/register-rights", { rights: typed() })));
  if (!done) return;
  draw(done[0]);
  toast(t("register.saved"));
});

const found = await run(() => get("/v1/register-rights"));
if (found) draw(found);
