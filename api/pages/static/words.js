// The dictionary of the page's language; the templates use the same file.

export const language = document.documentElement.lang;
const answer = await fetch(`/static/i18n/${language}.json`);
const words = await answer.json();

/** t("find.count", {count: 3}). An unknown key shows as itself. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => key in words;
