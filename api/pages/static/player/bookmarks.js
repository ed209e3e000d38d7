// Bookmarks: what staff note about the moment on show. Added by a key or a button, listed beside the pictures, in a case or not.

import { byId, el, icon, show, toast } from "../dom.js";
import { get, iso, post } from "../server.js";
import { clock, full } from "../time.js";
import { t } from "../words.js";

const cameraOf = (tiles) => tiles.find((tile) => tile.element.classList.contains("large")) ?? tiles.find((tile) => tile.shownTime !== null) ?? tiles[0];

export class Bookmarks {
  #at = 0; // the moment that was pressed at
  #wasPlaying = false;

  /** playback: has the tiles and the time. known: is told of changes. zone(): of the cameras. */
  constructor({ playback, known, zone }) {
    this.playback = playback;
    this.known = known;
    this.zone = zone;
    this.dialog = byId("bookmark-dialog");
    byId("bookmark").addEventListener("click", () => this.press());
    byId("bookmark-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.#wasPlaying && playback.setPlaying(true));
    byId("bookmark-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
  }

  /** The moment is taken now; what is there to say about it comes after. */
  press() {
    const { playback } = this;
    if (!playback.tiles.length) return;
    const chosen = cameraOf(playback.tiles);
    this.#at = Math.round(chosen.shownTime ?? playback.clock.now());
    this.#wasPlaying = playback.clock.playing;
    playback.setPlaying(false, false);
    byId("bookmark-time").textContent = full(this.#at, this.zone());
    byId("bookmark-note").value = "";
    show(byId("bookmark-problem"), "");
    byId("bookmark-camera").replaceChildren(...playback.tiles.map((tile) => el("option", { value: tile.cameraId, selected: tile === chosen }, tile.name)));
    byId("bookmark-camera").closest("div").hidden = playback.tiles.length < 2;
    this.#offerCases();
    this.dialog.showModal();
    byId("bookmark-note").focus();
  }

  /** The open cases in sight, where the person may put something into one. */
  async #offerCases() {
    const list = byId("bookmark-case");
    if (!list) return;
    list.length = 1;
    const cases = await get("/v1/cases").catch(() => []);
    const open = cases.filter((each) => each.state === "open");
    list.length = 1;
    list.append(...open.map((each) => el("option", { value: each.case_id }, `${each.number} ${each.title}`)));
    list.closest("div").hidden = !open.length;
  }

  async #add() {
    const button = this.dialog.querySelector("button.primary");
    const into = byId("bookmark-case")?.value;
    button.disabled = true;
    try {
      const bookmark = await post("/v1/bookmarks", { camera_id: byId("bookmark-camera").value, at: iso(this.#at), note: byId("bookmark-note").value });
      this.dialog.close();
      this.known.bookmarked(bookmark);
      toast(t("bookmarks.added"));
      if (into) await this.#file(bookmark, into);
    } catch (error) {
      if (this.dialog.open) show(byId("bookmark-problem"), error.message);
      else toast(error.message);
    } finally {
      button.disabled = false;
    }
  }

  async #file(bookmark, caseId) {
    await post(`/v1/cases/${caseId}/bookmarks`, { bookmark_id: bookmark.bookmark_id });
    this.known.bookmarked({ ...bookmark, in_case: true });
  }

  async #remove(bookmark) {
    if (!confirm(t("bookmarks.remove_sure"))) return;
    try {
      await post(`/v1/bookmarks/${bookmark.bookmark_id}/remove`, {});
      this.known.unbookmarked(bookmark);
    } catch (error) {
      toast(error.message);
    }
  }

  list(bookmarks, seek) {
    byId("bookmarks-part").hidden = !bookmarks.length;
    byId("bookmarks").replaceChildren(...bookmarks.map((bookmark) => this.#row(bookmark, seek)));
  }

  #row(bookmark, seek) {
    const remove = bookmark.mine ? el("button", { type: "button", class: "quiet remove", title: t("bookmarks.remove"), "aria-label": `${t("bookmarks.remove")}: ${clock(bookmark.time, bookmark.time_zone)}`, onclick: () => this.#remove(bookmark) }, icon("close")) : null;
    return el(
      "li",
      { data: { bookmark: bookmark.bookmark_id } },
      el(
        "button",
        { type: "button", onclick: () => seek(bookmark.time) },
        el("time", { datetime: bookmark.at }, clock(bookmark.time, bookmark.time_zone)),
        el("span", {}, bookmark.note || t("bookmarks.no_note"), el("span", { class: "soft" }, `${bookmark.camera} · ${bookmark.by}`)),
        bookmark.in_case ? el("span", { class: "badges" }, el("span", { class: "badge" }, t("bookmarks.in_case"))) : null,
      ),
      remove,
    );
  }
}

/** What the timeline shows where it is pointed at. */
export const bookmarkText = (bookmark) => [clock(bookmark.time, bookmark.time_zone), bookmark.camera, bookmark.note || t("bookmarks.one")].join(" · ");
