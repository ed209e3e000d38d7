// Keys that do something by themselves can be switched off: speech input and slips of the hand press them, too (WCAG 2.1.4).

const KEPT = "tallenne-shortcuts";
const box = document.getElementById("shortcuts");

/** Whether a single letter or sign is a command. */
export function shortcuts() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

if (box) {
  box.checked = shortcuts();
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
}
