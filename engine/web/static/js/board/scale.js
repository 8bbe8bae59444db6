// From minutes to places across the board, and back. Pure.
//
// Minutes count from the first midnight on the wall clock of the building. Nights are folded: what lies before `opens`
// and after `closes` keeps its order and takes little room, so that nothing is ever out of sight.

export const DAY = 1440;
const FOLDED = 45;

/** The scale of some days. With `whole`, all 24 hours are equally wide. */
export function makeScale({ days, opens, closes, whole }) {
  const [morning, evening] = whole ? [opens, DAY - closes] : [Math.min(FOLDED, opens), Math.min(FOLDED, DAY - closes)];
  const width = morning + (closes - opens) + evening;

  /** Units from the left edge of a day. */
  function within(minute) {
    if (minute < opens) return opens ? (minute / opens) * morning : 0;
    if (minute <= closes) return morning + minute - opens;
    return morning + closes - opens + ((minute - closes) / (DAY - closes)) * evening;
  }

  /** The minute at a number of units from the left edge of a day. */
  function without(units) {
    if (units < morning) return morning ? (units / morning) * opens : 0;
    if (units <= morning + closes - opens) return opens + units - morning;
    return evening ? closes + ((units - morning - closes + opens) / evening) * (DAY - closes) : closes;
  }

  return {
    days, opens, closes, whole, units: days * width,
    /** Where a minute lies, from 0 (left) to 1 (right); minutes of other days lie at the edges. */
    place(minute) {
      const clamped = Math.max(0, Math.min(days * DAY, minute));
      const day = Math.min(days - 1, Math.floor(clamped / DAY));
      return (day * width + within(clamped - day * DAY)) / (days * width);
    },
    /** The minute at a place. */
    minute(place) {
      const units = Math.max(0, Math.min(1, place)) * days * width;
      const day = Math.min(days - 1, Math.floor(units / width));
      return day * DAY + without(units - day * width);
    },
  };
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
