// What the board knows: entries by room, the lanes they lie in, and what stands in the way of a wish. Pure.
// Keys of an entry are explained at `show_entry` in engine/web/pages/occupancy/timeline.py.

const USUAL = { h: 1, st: "accepted", ls: "new", hm: "outlook" };

/** An entry as it is used: what was left out as usual, what it blocks on the grid (b to f), and what names it. */
function whole(entry) {
  const name = entry.ls === "meeting" ? `m${entry.r}-${entry.s}-${entry.e}` : entry.n ? `${entry.n}-${entry.r}` : `p${entry.r}-${entry.s}-${entry.e}`;
  return { ...USUAL, b: Math.floor(entry.s / 15) * 15, f: Math.ceil(entry.e / 15) * 15, id: name, ...entry };
}

export function makeModel(entries) {
  const byId = new Map(), byRoom = new Map();

  function add(entry) {
    byId.set(entry.id, entry);
    if (!byRoom.has(entry.r)) byRoom.set(entry.r, new Map());
    byRoom.get(entry.r).set(entry.id, entry);
  }

  function remove(entry) {
    byId.delete(entry.id);
    byRoom.get(entry.r)?.delete(entry.id);
  }

  for (const entry of entries) add(whole(entry));
  return {
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    of: (room) => [...(byRoom.get(room)?.values() ?? [])].sort((a, b) => a.s - b.s || a.e - b.e),

    /** Puts one entry in the place of another. */
    replace(id, entry) {
      const old = byId.get(id);
      if (old) remove(old);
      add(entry);
    },

    /** Takes in what the server says of some loans, or of all (null); returns the rooms that look different now. */
    update(loans, given) {
      const found = given.map(whole), rooms = new Set(), fresh = new Map(found.map((entry) => [entry.id, entry]));
      const isAsked = loans === null ? () => true : ((asked) => (entry) => asked.has(entry.n) || entry.ls === "meeting")(new Set(loans));
      for (const old of [...byId.values()].filter(isAsked)) {
        if (!fresh.has(old.id)) { remove(old); rooms.add(old.r); }
      }
      for (const entry of found) {
        if (JSON.stringify(byId.get(entry.id)) === JSON.stringify(entry)) continue;
        add(entry);
        rooms.add(entry.r);
      }
      return rooms;
    },

    /** The first entry that holds `room` between two minutes, `loan` apart. */
    clash(room, from, to, loan = 0) {
      for (const entry of byRoom.get(room)?.values() ?? []) {
        if (entry.h && entry.b < to && from < entry.f && (!loan || entry.n !== loan)) return entry;
      }
      return null;
    },
  };
}

/** What free room each entry has in its lane, on the day it begins or ends: `since` when, `after` whom, `until` when. There its title may stand. */
export function reachesOf(entries, lanes, day) {
  const nexts = [], lasts = [], reaches = [];
  for (let index = entries.length - 1; index >= 0; index--) {
    const { s, e } = entries[index];
    reaches[index] = { until: Math.min(nexts[lanes[index]] ?? Infinity, Math.ceil(e / day) * day) };
    nexts[lanes[index]] = s;
  }
  for (const [index, { s, e, id }] of entries.entries()) {
    const last = lasts[lanes[index]];
    Object.assign(reaches[index], { since: Math.max(last?.e ?? -Infinity, Math.floor(s / day) * day), after: last?.id });
    lasts[lanes[index]] = { e, id };
  }
  return reaches;
}

/** Puts entries that overlap into different lanes: [lane of each, number of lanes]. Entries are ordered by start. */
export function layLanes(entries) {
  const ends = [], lanes = [];
  for (const { s, e } of entries) {
    let lane = ends.findIndex((end) => end <= s);
    if (lane < 0) lane = ends.length;
    ends[lane] = e;
    lanes.push(lane);
  }
  return [lanes, Math.max(1, ends.length)];
}
