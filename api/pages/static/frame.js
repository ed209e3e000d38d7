// What every page has: signing out.

import { byId } from "./dom.js";
import { post } from "./server.js";

byId("sign-out")?.addEventListener("click", async () => {
  sessionStorage.clear();
  try {
    await post("/v1/sign-out", {});
  } finally {
    location.assign("/sign-in");
  }
});
