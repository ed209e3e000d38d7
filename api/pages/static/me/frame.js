// What every page of a member who is signed in has: signing out.

import { byId } from "../dom.js";
import { post } from "../server.js";

byId("sign-out").addEventListener("click", async () => {
  try {
    await post("/v1/me/sign-out", {});
  } catch (error) {
    if (error.status !== 401) {
      alert(error.message); // still signed in: the member has to know
      return;
    }
  }
  location.assign("/me/sign-in");
});
