// What every page has: its place in the menu, and signing out.

import { byId } from "./dom.js";
import { post } from "./server.js";
import { full, ownZone } from "./time.js";

// On a telephone the menu may be wider than the screen.
document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

addEventListener("beforeprint", () => {
  const time = document.querySelector("#printed time");
  if (time) time.textContent = full(Date.now(), ownZone);
});

byId("sign-out")?.addEventListener("click", async () => {
  sessionStorage.clear();
  try {
    await post("/v1/sign-out", {});
  } catch (error) {
    if (error.status !== 401) {
      alert(error.message); // still signed in: nobody may think otherwise
      return;
    }
  }
  location.assign("/sign-in");
});
