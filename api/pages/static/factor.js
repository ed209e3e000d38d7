// A second factor and recovery codes: shown once, as a square to photograph and as text. Drawn, not loaded.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

function square({ size, path }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "qr");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("factor.qr"));
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}

/** ``made``: with ``qr`` and ``secret``, or with recovery codes alone. Resolves when it has been put away. */
export function showOnce(title, made) {
  const dialog = byId("factor");
  byId("factor-title").textContent = title;
  byId("factor-body").replaceChildren(
    ...(made.qr ? [el("p", {}, t("factor.scan")), square(made.qr), el("p", { class: "soft" }, t("factor.secret"), " ", el("code", { class: "wrap" }, made.secret.match(/.{1,4}/g).join(" ")))] : []),
    el("h3", {}, t("factor.codes")),
    el("p", { class: "soft" }, t("factor.codes_help")),
    el("ul", { class: "codes" }, ...made.recovery_codes.map((code) => el("li", {}, el("code", {}, code)))),
  );
  dialog.showModal();
  return new Promise((resolve) => {
    const ended = () => {
      byId("factor-body").replaceChildren();
      resolve();
    };
    dialog.addEventListener("close", ended, { once: true });
  });
}
