// The export dialog: cameras, span, a fresh code where one is needed; then watched until it can be fetched.

import { byId, el, show, toast } from "../dom.js";
import { askExport, fetchExport, followExport } from "../exporting.js";
import { post } from "../server.js";
import { fromField, toField } from "../time.js";
import { t } from "../words.js";

export function installExport({ tiles, zone, span }) {
  const dialog = byId("export-dialog");
  const problem = byId("export-problem");
  const codePart = byId("export-code-part");
  const bar = byId("export-progress");
  const button = dialog.querySelector("button.primary");
  const chosen = () => [...byId("export-cameras").querySelectorAll("input:checked")].map((input) => input.value);

  // A field says no zone: in the hour that comes twice, what nobody has changed is the moment that it was filled with,
  // and what was changed the nearer one.
  const filled = new Map();
  const fill = (id, ms) => {
    byId(id).value = toField(ms, zone());
    filled.set(id, { ms, text: byId(id).value });
  };
  const meant = (id) => (byId(id).value === filled.get(id)?.text ? filled.get(id).ms : fromField(byId(id).value, zone(), filled.get(id)?.ms));

  byId("export").addEventListener("click", () => {
    const { start, end } = span();
    byId("export-cameras").replaceChildren(
      byId("export-cameras").querySelector("legend"),
      ...tiles.map((tile) => el("label", { class: "choice" }, el("input", { type: "checkbox", value: tile.cameraId, checked: true }), el("span", {}, tile.name))),
    );
    fill("export-start", start);
    fill("export-end", Math.min(Math.ceil(end / 1000), Math.floor(Date.now() / 1000)) * 1000); // not what is still to come
    show(problem, "");
    codePart.hidden = bar.hidden = true;
    byId("export-code").value = "";
    dialog.showModal();
  });
  byId("export-cancel").addEventListener("click", () => dialog.close());

  byId("export-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    show(problem, "");
    const wanted = chosen();
    const start = meant("export-start");
    const end = meant("export-end");
    const format = dialog.querySelector("input[name=format]:checked").value;
    if (!wanted.length) return show(problem, t("export.none"));
    if (!(end > start)) return show(problem, t("export.order"));
    if (format === "mp4" && wanted.length > 1) return show(problem, t("problem.one-camera"));
    button.disabled = true;
    try {
      if (!codePart.hidden) await post("/v1/step-up", { code: byId("export-code").value });
      codePart.hidden = true;
      const asked = await askExport(wanted, start, end, format, byId("export-masked").checked);
      bar.hidden = false;
      const made = await followExport(asked, bar, () => dialog.open);
      if (made.state === "failed") return show(problem, t(`problem.${made.problem}`));
      if (made.state === "ready") await fetchExport(made);
      dialog.close();
      toast(t({ ready: "export.started", approval: "export.waits" }[made.state] ?? "export.goes_on"));
    } catch (error) {
      if (error.code === "step-up-needed") {
        codePart.hidden = false;
        byId("export-code").focus();
      }
      show(problem, error.code === "not-found" ? t("problem.not_exporter") : error.message);
    } finally {
      button.disabled = false;
      bar.hidden = true;
    }
    return undefined;
  });
}
