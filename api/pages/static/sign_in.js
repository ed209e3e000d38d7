import { byId, show, takeForm } from "./dom.js";
import { nextPage, post } from "./server.js";
import { t } from "./words.js";

const form = byId("sign-in");
const problem = byId("problem");

takeForm(form, async () => {
  const fields = new FormData(form);
  const empty = [...form.querySelectorAll("input")].find((input) => !input.value.trim());
  if (empty) {
    show(problem, t("problem.invalid"));
    empty.focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  show(problem, "");
  try {
    await post("/v1/sign-in", Object.fromEntries(fields));
    location.assign(nextPage("/"));
  } catch (error) {
    show(problem, error.message);
    byId("code").value = "";
    byId("code").focus();
  } finally {
    button.disabled = false;
  }
});
