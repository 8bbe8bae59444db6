// From minutes to places across the board, and back. Pure.
//
// Minutes count from the first midnight on the wall clock of the building. Nights are folded: what lies before `opens`
// and after `closes` keeps its order and takes little room, so that nothing is ever out of sight. So are weekends on
// which nothing is booked.

export const DAY = 1440;
const FOLDED = 45, QUIET = 190;

/** The scale of some days. With `whole`, all 24 hours are equally wide; else days of `quiet` are folded too. */
export function makeScale({ days, opens, closes, whole, quiet = new Set() }) {
  const [morning, evening] = whole ? [opens, DAY - closes] : [Math.min(FOLDED, opens), Math.min(FOLDED, DAY - closes)];
  const isQuiet = (day) => !whole && quiet.has(day);
  const widths = Array.from({ length: days }, (_, day) => isQuiet(day) ? QUIET : morning + (closes - opens) + evening);
  const edges = [0];
  for (const width of widths) edges.push(edges.at(-1) + width);
  const units = edges[days];

  /** Units from the left edge of a day. */
  function within(day, minute) {
    if (isQuiet(day)) return (minute / DAY) * QUIET;
    if (minute < opens) return opens ? (minute / opens) * morning : 0;
    if (minute <= closes) return morning + minute - opens;
    return morning + closes - opens + ((minute - closes) / (DAY - closes)) * evening;
  }

  /** The minute at a number of units from the left edge of a day. */
  function without(day, at) {
    if (isQuiet(day)) return (at / QUIET) * DAY;
    if (at < morning) return morning ? (at / morning) * opens : 0;
    if (at <= morning + closes - opens) return opens + at - morning;
    return evening ? closes + ((at - morning - closes + opens) / evening) * (DAY - closes) : closes;
  }

  return {
    days, opens, closes, whole, units, isQuiet,
    /** Where a minute lies, from 0 (left) to 1 (right); minutes of other days lie at the edges. */
    place(minute) {
      const clamped = Math.max(0, Math.min(days * DAY, minute));
      const day = Math.min(days - 1, Math.floor(clamped / DAY));
      return (edges[day] + within(day, clamped - day * DAY)) / units;
    },
    /** The minute at a place. */
    minute(place) {
      const at = Math.max(0, Math.min(1, place)) * units;
      let day = 0;
      while (day < days - 1 && at >= edges[day + 1]) day++;
      return day * DAY + without(day, at - edges[day]);
    },
  };
}

/** Days of the weekend on which nothing is booked: they take little room. */
export function quietDays(entries, days, first) {
  const quiet = new Set();
  for (let day = 0; days > 1 && day < days; day++) {
    const weekday = new Date(Date.parse(`${first}T00:00Z`) + day * DAY * 60000).getUTCDay();
    if (weekday % 6 === 0 && !entries.some(({ s, e }) => s < (day + 1) * DAY && e > day * DAY)) quiet.add(day);
  }
  return quiet;
}

export const snap = (minute, step = 15) => Math.round(minute / step) * step;

/** The hours that are not folded: the usual ones, widened to what is booked by day. */
export function usualHours(entries) {
  let opens = 8 * 60, closes = 18 * 60;
  for (const { s, e } of entries) {
    if (e - s >= DAY) continue;
    const from = ((s % DAY) + DAY) % DAY, to = ((e % DAY) + DAY) % DAY || DAY;
    if (from >= 6 * 60 && from < opens) opens = Math.floor(from / 60) * 60;
    if (to > closes && to <= 22 * 60) closes = Math.ceil(to / 60) * 60;
  }
  return { opens, closes };
}

export function clock(minute) {
  const rest = ((minute % DAY) + DAY) % DAY;
  return `${String(Math.floor(rest / 60)).padStart(2, "0")}:${String(rest % 60).padStart(2, "0")}`;
}
