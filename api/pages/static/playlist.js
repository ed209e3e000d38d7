// A list of passages to be played one after another: the question that a page asked, kept for the player of this tab.
// The question itself is kept, and no answer: the player asks it again, on record, under the same purpose.

import { purpose } from "./server.js";

const KEPT = "tallenne.list";

/** asked: [[name, value]], the question to /v1/find. events: how many were on show. first: the event to begin with. */
export function playAll({ asked, events, first }) {
  sessionStorage.setItem(KEPT, JSON.stringify({ purpose, asked, events }));
  location.assign(`/visit/${first}?list=`);
}

/** {asked, events}; null: there is none, or it was asked for another purpose. */
export function keptList() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return kept?.purpose === purpose ? kept : null;
}
