// At which times a strip along the timeline shows pictures. Pure; ms of UTC.

const SLOT_PX = 100;
const MOST = 14;
const STEPS_S = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10_800];

/** Evenly spaced and fixed to the clock, so that they stay when the view is moved: those whole in sight with footage. */
export function slots({ start, end }, width, footage) {
  const px = Math.max(SLOT_PX, width / MOST);
  const least = ((end - start) * px) / width;
  const step = (STEPS_S.find((each) => each * 1000 >= least) ?? STEPS_S.at(-1)) * 1000;
  const half = ((end - start) * SLOT_PX) / width / 2;
  const times = [];
  for (let at = Math.ceil((start + half) / step) * step; at <= end - half; at += step) times.push(at);
  return times.filter((at) => footage.some((span) => span.start <= at && at < span.end));
}
