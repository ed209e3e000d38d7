// On a phone held sideways the bar and the timeline lie over the pictures: they go when left alone.

const AFTER_MS = 3000;
const TOUCH_MS = 400; // the click of the touch that brings them back comes after it, and presses nothing

/** Sets data-idle of ``stage`` while it plays and is not touched for a while; the style sheet says what that hides. */
export function fadeOut(stage, playing) {
  let timer = 0;
  const wake = () => {
    if (stage.dataset.idle) {
      stage.dataset.waking = "yes";
      setTimeout(() => delete stage.dataset.waking, TOUCH_MS);
    }
    delete stage.dataset.idle;
    clearTimeout(timer);
    timer = setTimeout(() => (playing() ? (stage.dataset.idle = "yes") : wake()), AFTER_MS);
  };
  for (const name of ["pointermove", "pointerdown", "focusin"]) stage.addEventListener(name, wake);
  document.addEventListener("keydown", wake);
  wake();
}
