// Signing in: the address, then the code that its mailbox receives. A page that is loaded anew meanwhile goes on with the code.

import { byId, show, takeForm } from "../dom.js";
import { post } from "../server.js";
import { t } from "../words.js";

const KEY = "tallenne-member-code";
const problem = byId("problem");

function kept() {
  const found = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  return found && found.until > Date.now() ? found : null;
}

function draw() {
  const waiting = kept();
  byId("ask").hidden = Boolean(waiting);
  byId("enter").hidden = !waiting;
  byId("sent").textContent = waiting ? t("me.sent", { email: waiting.email }) : "";
  (waiting ? byId("code") : byId("email")).focus();
}

async function run(form, act) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  show(problem, "");
  try {
    await act();
  } catch (error) {
    show(problem, error.message);
  } finally {
    button.disabled = false;
  }
}

takeForm(byId("ask"), (form) => {
  const email = byId("email").value.trim();
  if (!email) return byId("email").focus();
  return run(form, async () => {
    const asked = await post("/v1/me/sign-in/code", { email });
    sessionStorage.setItem(KEY, JSON.stringify({ request: asked.request, email, until: Date.now() + asked.seconds * 1000 }));
    draw();
  });
});

takeForm(byId("enter"), (form) => {
  const code = byId("code").value.trim();
  if (!code) return byId("code").focus();
  return run(form, async () => {
    const waiting = kept();
    if (!waiting) return draw();
    try {
      await post("/v1/me/sign-in", { request: waiting.request, code });
    } catch (error) {
      byId("code").select();
      throw error;
    }
    sessionStorage.removeItem(KEY);
    location.assign("/me");
    return undefined;
  });
});

byId("again").addEventListener("click", () => {
  sessionStorage.removeItem(KEY);
  show(problem, "");
  byId("code").value = "";
  draw();
});
draw();
