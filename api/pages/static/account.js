// One's own account.

import { byId, show, takeForm, toast } from "./dom.js";
import { showOnce } from "./factor.js";
import { post } from "./server.js";
import "./shortcuts.js";
import { withCode } from "./step_up.js";
import { t } from "./words.js";

async function run(act) {
  show(byId("problem"), "");
  try {
    return await withCode(act);
  } catch (error) {
    show(byId("problem"), error.message);
    return null;
  }
}

takeForm(byId("change-password"), async (form) => {
  if (!byId("current").value || !byId("password").value) return show(byId("problem"), t("problem.invalid"));
  if (await run(() => post("/v1/password", { current: byId("current").value, password: byId("password").value }))) {
    form.reset();
    toast(t("account.changed"));
  }
  return undefined;
});
byId("codes").addEventListener("click", async () => {
  const made = await run(() => post("/v1/recovery-codes", {}));
  if (made) await showOnce(t("factor.codes"), made[0]);
});
byId("everywhere").addEventListener("click", async () => {
  sessionStorage.clear();
  try {
    await post("/v1/sign-out", { everywhere: true });
  } catch (error) {
    if (error.status !== 401) return show(byId("problem"), error.message); // still signed in
  }
  location.assign("/sign-in");
  return undefined;
});
