// A wish is where something would go: shown as a ghost, with what stands in its way, before anything is sent.
//   {kind: "create" | "move" | "resize", entry, room, from, to}   minutes on the grid
import { DAY, clock, snap } from "./scale.js";

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

export function makeWishes({ board, model, drawing, texts, say }) {
  const days = Number(board.dataset.days);
  const ghost = document.createElement("div");
  ghost.className = "ghost";
  ghost.dataset.keep = "";
  const label = document.createElement("span");
  ghost.append(label);
  let shown = null;

  const roomName = (room) => drawing.rows.get(room)?.querySelector(".room b").textContent ?? "";
  const dayName = (minute) => days > 1 ? `${board.querySelector(`.head-day[data-day="${Math.floor(minute / DAY)}"]`)?.textContent.trim() ?? ""} ` : "";
  const when = (wish) => `${dayName(wish.from)}${clock(wish.from)}–${clock(wish.to)}`;

  /** What stands in the way of a wish, in this room or in another one of the same loan. */
  function clashOf(wish) {
    const loan = wish.entry?.n ?? 0;
    const direct = model.clash(wish.room, wish.from, wish.to, loan);
    if (direct || !loan) return direct;
    const others = model.all().filter((entry) => entry.n === loan && entry.h && entry.r !== wish.entry.r);
    return others.map((entry) => model.clash(entry.r, wish.from, wish.to, loan)).find(Boolean) ?? null;
  }

  function describe(wish) {
    const clash = clashOf(wish);
    const base = fill(wish.kind === "create" ? texts.placing : texts.moving, { room: roomName(wish.room), when: when(wish) });
    return clash ? fill(texts.taken, { wish: base, what: `${drawing.titleOf(clash)} ${clock(clash.s)}–${clock(clash.e)}` }) : base;
  }

  function show(wish, { aloud = false } = {}) {
    shown = wish;
    const lane = drawing.rows.get(wish.room)?.lastElementChild;
    if (!lane) return;
    if (ghost.parentElement !== lane) lane.append(ghost);
    ghost.classList.toggle("clash", Boolean(clashOf(wish)));
    drawing.put(ghost, { s: wish.from, e: wish.to });
    label.textContent = when(wish);
    if (aloud) say(describe(wish));
  }

  function hide() {
    shown = null;
    ghost.remove();
  }

  /** A wish to begin at a minute in a room, an hour long or as long as is free. */
  function placing(room, minute, length = 60) {
    const from = Math.max(0, Math.min(days * DAY - 15, snap(minute - 7)));
    const next = model.of(room).find((entry) => entry.h && entry.b >= from && entry.b < from + length);
    const to = next && next.b > from ? next.b : from + length;
    return { kind: "create", entry: null, room, from, to };
  }

  return { show, hide, describe, clashOf, placing, roomName, when, get shown() { return shown; } };
}

/** The wish that an entry stay where it is: where every move begins. Off-grid ends lie where they block. */
export const staying = (entry) => ({ kind: "move", entry, room: entry.r, from: entry.b, to: entry.f });

/** What to send for a wish: only what differs, so that a change of room alone touches no time. */
export function changesOf({ entry, room, from, to }) {
  const changes = { room: entry.r, version: entry.v, seen_start: entry.s, seen_end: entry.e };
  if (from !== entry.b) changes.start = from;
  if (to !== entry.f) changes.end = to;
  if (changes.start !== undefined && changes.end === undefined && entry.e !== entry.f) changes.end = to;
  if (room !== entry.r) changes.to_room = room;
  return changes;
}

export const isChange = ({ entry, room, from, to }) => room !== entry.r || from !== entry.b || to !== entry.f;
