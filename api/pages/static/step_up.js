// Whatever needs a fresh code: done at once, or after the dialog that asks for one.

import { byId, show } from "./dom.js";
import { post } from "./server.js";

const dialog = byId("step-up");

/** [what it answered] once it is done; null when the person gave up. Other problems are thrown. */
export async function withCode(act) {
  try {
    return [await act()];
  } catch (error) {
    if (error.code !== "step-up-needed") throw error;
  }
  return (await asked()) ? [await act()] : null;
}

function asked() {
  const form = dialog.querySelector("form");
  const field = byId("step-up-code");
  field.value = "";
  show(byId("step-up-problem"), "");
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (answer) => {
      form.removeEventListener("submit", submitted);
      dialog.removeEventListener("close", closed);
      dialog.close();
      resolve(answer);
    };
    const closed = () => end(false);
    const submitted = async (event) => {
      event.preventDefault();
      try {
        await post("/v1/step-up", { code: field.value });
        end(true);
      } catch (error) {
        show(byId("step-up-problem"), error.message);
        field.select();
      }
    };
    form.addEventListener("submit", submitted);
    dialog.addEventListener("close", closed);
  });
}

byId("step-up-cancel").addEventListener("click", () => dialog.close());
