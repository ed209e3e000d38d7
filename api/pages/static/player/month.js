// Months like 2026-11 and their days.

/** The cells of a month like 2026-11, Monday first: null before the first day. */
export function cells(month, days) {
  const before = (new Date(`${month}-01T00:00:00Z`).getUTCDay() + 6) % 7;
  return [...Array(before).fill(null), ...days];
}

/** Several cameras' days as one: footage where any has it, the events of the one with most. */
export function together(answers) {
  return answers[0].map((first, number) => {
    const same = answers.map((days) => days[number]);
    return { ...first, footage: same.some((each) => each.footage), events: Math.max(...same.map((each) => each.events)) };
  });
}

export function monthBeside(month, direction) {
  const date = new Date(`${month}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + direction);
  return date.toISOString().slice(0, 7);
}

/** A day and a time of day as people type it, 6:31 or 06:31:04; nothing typed: noon. */
export function moment(day, typed) {
  const [hour, ...rest] = (typed || "12:00").split(":");
  return `${day}T${[hour.padStart(2, "0"), ...rest].join(":")}`;
}
