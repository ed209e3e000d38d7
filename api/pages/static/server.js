// Asking the server: the session's token, its purpose, and problems as exceptions that carry their code.

import { has, t } from "./words.js";

const root = document.documentElement;
export const purpose = root.dataset.purpose || "";

export class Problem extends Error {
  constructor(code, status, seconds = 0) {
    const key = has(`problem.${code}`) ? `problem.${code}` : status === 503 ? "problem.away_help" : "problem.mistake_help";
    super(t(key, { seconds }));
    this.code = code;
    this.status = status;
  }
}

function headers(more = {}) {
  const made = { Accept: "application/json", ...more };
  if (root.dataset.csrf) made["X-CSRF-Token"] = root.dataset.csrf;
  if (purpose) made["Tallenne-Purpose"] = purpose;
  return made;
}

const here = () => encodeURIComponent(location.pathname + location.search);

async function problemOf(answer) {
  const code = answer.headers.get("Tallenne-Problem") ?? "mistake";
  if (code === "sign-in-needed") location.assign(root.dataset.signIn ?? `/sign-in?next=${here()}`);
  if (code === "purpose-needed") location.assign(`/purpose?next=${here()}`);
  return new Problem(code, answer.status, Number(answer.headers.get("Retry-After")) || 1);
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("offline", 0);
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export async function get(path, query = {}, signal = undefined) {
  const text = new URLSearchParams(query).toString();
  const answer = await ask(text ? `${path}?${text}` : path, { headers: headers(), signal });
  return answer.json();
}

export async function getText(path, query = {}) {
  const answer = await ask(`${path}?${new URLSearchParams(query)}`, { headers: headers({ Accept: "*/*" }) });
  return answer.text();
}

export const post = (path, body) => send("POST", path, body);
export const put = (path, body) => send("PUT", path, body);

/** The answer to a POST whose body comes for as long as it lasts. */
export const stream = (path, body, signal) =>
  ask(path, { method: "POST", headers: headers({ "Content-Type": "application/json", Accept: "*/*" }), body: JSON.stringify(body), signal, cache: "no-store" });

async function send(method, path, body) {
  const options = { method, headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) };
  const answer = await ask(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** The headers of an answer, without its body. */
export async function head(path, signal = undefined) {
  return (await ask(path, { method: "HEAD", headers: headers(), signal })).headers;
}

/** Bytes [start, end) of a file, as they come. tag: of the version that they must be of; else 416. */
export function part(path, { start, end, tag, signal }) {
  const range = { Range: `bytes=${start}-${Number.isFinite(end) ? end - 1 : ""}` };
  return ask(path, { headers: headers(tag ? { ...range, "If-Range": tag } : range), signal, cache: "no-store" });
}

export const clipAddress = (cameraId, start, end) => `/v1/cameras/${cameraId}/clip.mp4?${new URLSearchParams({ start: iso(start), end: iso(end), purpose })}`;

export const iso = (milliseconds) => new Date(milliseconds).toISOString();

/** Where to go after sign-in or purpose: a path of ours and nothing else. */
export function nextPage(fallback) {
  const wanted = new URLSearchParams(location.search).get("next") || "";
  return /^\/(?![/\\])[\w/?=&.:%+-]*$/.test(wanted) ? wanted : fallback;
}
