// What doors report, in words.

import { el } from "./dom.js";
import { t } from "./words.js";

const TONE = { granted: "good", entered: "good", denied: "bad", forced_open: "bad", held_open: "warn", not_entered: "warn" };

export const tone = (kinds) => TONE[kinds.at(-1)] ?? "";

export function kindText(kinds) {
  const [first, ...rest] = kinds;
  const alone = rest.length === 0 && (first === "entered" || first === "not_entered");
  return [t(alone ? `kind.${first}_alone` : `kind.${first}`), ...rest.map((kind) => t(`kind.${kind}`))].join(", ");
}

export function who(member) {
  if (!member) return t("member.unknown");
  return member.name ?? t("member.erased");
}

export function badges(event, kinds) {
  return [
    el("span", { class: `badge ${tone(kinds)}` }, kindText(kinds)),
    event.member?.minor ? el("span", { class: "badge warn" }, t("member.minor")) : null,
    event.uncertain ? el("span", { class: "badge warn", title: t("uncertain_help") }, t("uncertain")) : null,
  ];
}
