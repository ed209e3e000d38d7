// Elements without markup strings: names and reasons are text, whatever they contain.

const SVG = "http://www.w3.org/2000/svg";

/** el("p", {class: "x", hidden: true, data: {id: 1}, onclick: f}, "text", child, null) */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

export function show(element, text) {
  element.hidden = !text;
  element.textContent = text || "";
}

/** A form sends nothing by itself: its button wakes when the page's script is ready to take what was typed. */
export function takeForm(form, submitted) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form);
  });
  form.querySelector("button[type=submit]").disabled = false;
}

const READ_MS = 40; // so long a character takes to be read
let hiding = 0;
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => place.classList.remove("shown"), Math.max(5000, text.length * READ_MS));
}
