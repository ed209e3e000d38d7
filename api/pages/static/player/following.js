// The next and the previous event of the same door, kind or member, wherever and whenever it is.

import { byId, toast } from "../dom.js";
import { get } from "../server.js";
import { t } from "../words.js";

const BESIDE_MS = 2000; // one is still at an event for so long

export class Following {
  #at = null; // the event that was gone to last
  #asking = false;

  /** at(): {time, event, cameras}: the time on show, the event at hand if any, and the cameras on show.
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
    if (this.#asking) return undefined; // the key is held down: from where, the answer says
    const { time, event, cameras } = this.at();
    const from = this.#at && Math.abs(this.#at.time - time) < BESIDE_MS ? this.#at : event;
    if (!from) return toast(t("player.no_more"));
    let found;
    this.#asking = true;
    try {
      found = (await get(`/v1/events/${from.event_id}/beside`, { same: this.same, later: direction > 0 })).event;
    } catch (error) {
      return toast(error.message);
    } finally {
      this.#asking = false;
    }
    if (!found) return toast(t("player.no_more"));
    if (!found.cameras.some((each) => cameras.includes(each.camera_id))) return location.assign(`/visit/${found.event_id}`);
    this.#at = { ...found, time: Date.parse(found.occurred) };
    return this.seek(this.#at.time);
  }
}
