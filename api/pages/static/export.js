// The export dialog: cameras, span, a fresh code where one is needed, then the browser's own download.

import { byId, el, show, toast } from "./dom.js";
import { clipAddress, head, post } from "./server.js";
import { fromField, toField } from "./time.js";
import { t } from "./words.js";

export function installExport({ tiles, zone, span }) {
  const dialog = byId("export-dialog");
  const problem = byId("export-problem");
  const codePart = byId("export-code-part");

  byId("export").addEventListener("click", () => {
    const { start, end } = span();
    byId("export-cameras").replaceChildren(
      byId("export-cameras").querySelector("legend"),
      ...tiles.map((tile) => el("label", { class: "choice" }, el("input", { type: "checkbox", value: tile.cameraId, checked: true }), el("span", {}, tile.name))),
    );
    byId("export-start").value = toField(start, zone());
    byId("export-end").value = toField(Math.ceil(end / 1000) * 1000, zone());
    show(problem, "");
    codePart.hidden = true;
    byId("export-code").value = "";
    dialog.showModal();
  });
  byId("export-cancel").addEventListener("click", () => dialog.close());

  byId("export-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    show(problem, "");
    const wanted = [...byId("export-cameras").querySelectorAll("input:checked")].map((input) => input.value);
    const start = fromField(byId("export-start").value, zone());
    const end = fromField(byId("export-end").value, zone());
    if (!wanted.length) return show(problem, t("export.none"));
    if (!(end > start)) return show(problem, t("export.order"));
    const button = dialog.querySelector("button.primary");
    button.disabled = true;
    try {
      if (!codePart.hidden) await post("/v1/step-up", { code: byId("export-code").value });
      for (const cameraId of wanted) await download(clipAddress(cameraId, start, end, true));
      dialog.close();
      toast(t("export.started"));
    } catch (error) {
      if (error.code === "step-up-needed") {
        codePart.hidden = false;
        byId("export-code").focus();
      }
      show(problem, error.code === "not-found" ? t("problem.not_exporter") : error.message);
    } finally {
      button.disabled = false;
    }
    return undefined;
  });
}

async function download(address) {
  // Asked first without a body: a refusal is told in the dialog, not in a file.
  await head(address);
  const link = el("a", { href: address, download: "" });
  document.body.append(link);
  link.click();
  link.remove();
  await new Promise((resolve) => setTimeout(resolve, 400));
}
