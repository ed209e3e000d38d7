// The next and the previous event of the same door, kind or member, wherever and whenever it is.

import { byId, toast } from "../dom.js";
import { get } from "../server.js";
import { t } from "../words.js";

const BESIDE_MS = 2000; // one is still at an event for so long

export class Following {
  #at = null; // the event that was gone to last

  /** at(): {time, event, cameras}: the time on show, the latest event until then or null, and the cameras on show.
   * seek(time): to a time of those cameras. */
  constructor(at, seek) {
    this.at = at;
    this.seek = seek;
  }

  /** "": every event. */
  get same() {
    return byId("jump-by").value;
  }

  /** To the one beside the event of the moment; where other cameras saw it, to its own page. */
  async go(direction) {
    const { time, event, cameras } = this.at();
    const from = this.#at && Math.abs(this.#at.time - time) < BESIDE_MS ? this.#at : event;
    if (!from) return toast(t("player.no_more"));
    let found;
    try {
      found = (await get(`/v1/events/${from.event_id}/beside`, { same: this.same, later: direction > 0 })).event;
    } catch (error) {
      return toast(error.message);
    }
    if (!found) return toast(t("player.no_more"));
    if (!found.cameras.some((each) => cameras.includes(each.camera_id))) return location.assign(`/visit/${found.event_id}`);
    this.#at = { ...found, time: Date.parse(found.occurred) };
    return this.seek(this.#at.time);
  }
}
