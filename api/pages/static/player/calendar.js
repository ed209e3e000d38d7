// A month of the cameras on show: the days with footage lead there, at the time of day on show or one that is typed.

import { byId, el, icon } from "../dom.js";
import { get } from "../server.js";
import { day as dayText, fromField, monthText, toField, weekdays } from "../time.js";
import { t } from "../words.js";
import { cells, moment, monthBeside, together } from "./month.js";

export class Calendar {
  #month = "";
  #asked = 0;

  /** at(): {time, zone} on show; cameras(): their ids; seek(time). */
  constructor(at, cameras, seek) {
    this.at = at;
    this.cameras = cameras;
    this.seek = seek;
    this.dialog = byId("calendar-dialog");
    byId("calendar").addEventListener("click", () => this.#open());
    byId("calendar-close").addEventListener("click", () => this.dialog.close());
    byId("calendar-before").addEventListener("click", () => this.#turn(-1));
    byId("calendar-after").addEventListener("click", () => this.#turn(1));
    byId("calendar-before").append(icon("back"));
    byId("calendar-after").append(icon("forward"));
    byId("calendar-days").replaceChildren(...weekdays().map(({ short, long }) => el("th", { scope: "col", abbr: long }, short)));
  }

  #open() {
    const { time, zone } = this.at();
    const field = toField(time, zone);
    byId("calendar-time").value = field.slice(11);
    this.today = field.slice(0, 10);
    this.dialog.showModal();
    this.#show(field.slice(0, 7));
  }

  #turn(direction) {
    this.#show(monthBeside(this.#month, direction));
  }

  async #show(month) {
    this.#month = month;
    this.#asked += 1;
    const mine = this.#asked;
    byId("calendar-month").textContent = monthText(month);
    byId("calendar-problem").hidden = true;
    this.dialog.setAttribute("aria-busy", "true");
    try {
      const answers = await Promise.all(this.cameras().map((id) => get(`/v1/cameras/${id}/days`, { month })));
      if (mine === this.#asked) this.#fill(month, together(answers.map((answer) => answer.days)));
    } catch (error) {
      if (mine !== this.#asked) return;
      byId("calendar-weeks").replaceChildren();
      byId("calendar-problem").textContent = error.message;
      byId("calendar-problem").hidden = false;
    }
    this.dialog.removeAttribute("aria-busy");
  }

  #fill(month, days) {
    const all = cells(month, days);
    const weeks = Array.from({ length: Math.ceil(all.length / 7) }, (_, week) => all.slice(7 * week, 7 * week + 7));
    byId("calendar-weeks").replaceChildren(...weeks.map((week) => el("tr", {}, ...week.map((each) => el("td", {}, each && this.#cell(each))))));
    this.dialog.querySelector("[aria-current=date]:enabled, #calendar-weeks button:enabled")?.focus();
  }

  #cell({ day, footage, events }) {
    const noon = Date.parse(`${day}T12:00:00Z`);
    const what = footage ? t(events === 1 ? "calendar.event" : "calendar.events", { count: events }) : t("calendar.no_footage");
    return el(
      "button",
      { type: "button", disabled: !footage, "aria-current": day === this.today ? "date" : null, "aria-label": `${dayText(noon, "UTC")}, ${what}`, onclick: () => this.#go(day) },
      String(Number(day.slice(8))),
      el("small", { "aria-hidden": "true" }, footage && events ? String(events) : ""),
    );
  }

  #go(day) {
    const { zone } = this.at();
    const typed = byId("calendar-time");
    if (!typed.reportValidity()) return; // the browser says how it is written
    const time = fromField(moment(day, typed.value), zone);
    this.dialog.close();
    if (!Number.isNaN(time)) this.seek(time);
  }
}
