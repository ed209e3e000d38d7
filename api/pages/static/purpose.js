import { byId, show, takeForm } from "./dom.js";
import { nextPage, post } from "./server.js";
import { t } from "./words.js";

const form = byId("purpose");
const problem = byId("problem");

takeForm(form, async () => {
  const fields = new FormData(form);
  const category = fields.get("category");
  const reason = fields.get("reason").trim();
  if (!category || reason.length < 3) {
    show(problem, t("problem.invalid_purpose"));
    (category ? byId("reason") : form.querySelector("input[type=radio]")).focus();
    return;
  }
  try {
    await post("/v1/purposes", { category, reason });
    location.assign(nextPage("/find"));
  } catch (error) {
    show(problem, error.message);
  }
});
