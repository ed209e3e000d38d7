// How many columns make pictures of 16:9 largest.

const SHAPE = 16 / 9;

/** For so many pictures in a space, in pixels. */
export function columns(count, width, height) {
  let best = { columns: 1, size: 0 };
  for (let each = 1; each <= count; each += 1) {
    const size = Math.min(width / each, (height / Math.ceil(count / each)) * SHAPE);
    if (size > best.size) best = { columns: each, size };
  }
  return best.columns;
}
