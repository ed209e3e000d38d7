// A passage as a row that leads to the player: picture, time, person, door, outcome, footage.

import { el, icon } from "../dom.js";
import { badges, tone, who } from "../events.js";
import { clock, day } from "../time.js";
import { t } from "../words.js";

/** Puts the rows of hits at the end of ``place``, under their days; a day that is there already goes on. */
export function append(place, hits) {
  const rows = hits.map((hit) => [day(Date.parse(hit.occurred), hit.time_zone), row(hit)]);
  for (const [label, made] of rows) {
    let section = place.querySelector("section:last-of-type");
    if (section?.dataset.day !== label) {
      section = el("section", { data: { day: label } }, el("h2", {}, label), el("ol", {}));
      place.append(section);
    }
    section.querySelector("ol").append(made);
  }
  return rows[0]?.[1];
}

export function row(hit) {
  const seen = hit.cameras.filter((camera) => camera.segments !== 0);
  const names = hit.cameras.map((camera) => camera.name).join(", ");
  const edge = hit.close_upon_s === null ? tone(hit.kinds) : "warn";
  const close = hit.close_upon_s === null ? null : el("span", { class: "badge warn", title: t("find.close_help") }, t("find.close", { seconds: Math.max(1, Math.round(hit.close_upon_s)) }));
  return el(
    "li",
    {},
    el(
      "a",
      { class: `hit ${edge}`, href: `/visit/${hit.event_id}` },
      picture(seen[0]),
      el("time", { datetime: hit.occurred }, clock(Date.parse(hit.occurred), hit.time_zone)),
      el(
        "span",
        {},
        el("span", { class: "name" }, who(hit.member)),
        el("span", { class: "soft" }, `${hit.member?.number ? ` ${hit.member.number}` : ""}`),
        el("br"),
        el("span", { class: "soft" }, `${hit.door} · ${hit.site}`),
      ),
      el("span", { class: "badges" }, ...badges(hit, hit.kinds), close),
      el("span", { class: "where soft", title: names }, seen.length ? icon("film") : null, footage(hit.cameras, seen.length)),
    ),
  );
}

function footage(cameras, seen) {
  if (!cameras.length) return t("find.no_cameras");
  if (seen) return seen === 1 ? t("find.footage_one") : t("find.footage", { count: seen });
  return cameras.some((camera) => camera.coming) ? t("find.coming") : t("find.no_footage");
}

/** Loaded when it comes into sight: each is a look on record. */
function picture(camera) {
  const place = el("span", { class: "thumbnail" }, icon("film"));
  if (camera) {
    const image = el("img", { alt: "", loading: "lazy", width: 128, height: 72, onload: () => place.classList.add("shown"), onerror: () => image.remove() });
    image.src = camera.thumbnail;
    place.prepend(image);
  }
  return place;
}
