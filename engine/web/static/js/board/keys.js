// The keyboard. One tab stop: the entry that was focused last, or the cursor, which marks a free place.
//   arrows                 to the next entry, or move the cursor by a quarter of an hour and from room to room
//   N                      from an entry to the cursor;  Escape  back to an entry
//   Enter                  opens an entry; books at the cursor
//   Shift + left, right    longer and shorter, at the cursor
//   Alt + arrows           move an entry;  Alt + Shift + left, right: its end;  Enter keeps it, Escape gives it up
//   Ctrl + Z               takes back the last move
// Where nothing has the focus, arrows and N go to the tab stop first.
import { DAY, clock } from "./scale.js";
import { isChange, staying } from "./wishes.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function listenToKeys({ board, model, drawing, wishes, keeper, texts, say, mayBook, open }) {
  const days = Number(board.dataset.days);
  const cursor = document.createElement("button");
  Object.assign(cursor, { type: "button", className: "ghost cursor", tabIndex: -1 });
  cursor.dataset.keep = "";
  let place = null, wish = null, awaited = null;

  const entryOf = (element) => element?.closest?.(".entry") ? model.get(element.closest(".entry").dataset.id) : null;
  const elementOf = (entry) => board.querySelector(`[data-id="${CSS.escape(entry.id)}"]`);
  const neighbour = (room, step) => drawing.order[drawing.order.indexOf(room) + step];

  function rove(element) {
    for (const other of board.querySelectorAll('.lane [tabindex="0"]')) other.tabIndex = -1;
    element.tabIndex = 0;
  }

  function focusEntry(entry) {
    const element = elementOf(entry);
    if (!element) return;
    leaveCursor();
    rove(element);
    element.focus();
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Puts the cursor at a free place, or wherever one wants to look. */
  function putCursor(next) {
    if (!mayBook) return;
    const length = next.to - next.from;
    const from = Math.max(0, Math.min(days * DAY - 15, next.from));
    place = { ...next, kind: "create", entry: null, from, to: from + length };
    const lane = drawing.rows.get(place.room).lastElementChild;
    if (cursor.parentElement !== lane) lane.append(cursor);
    drawing.put(cursor, { s: place.from, e: place.to });
    cursor.textContent = `+ ${clock(place.from)}–${clock(place.to)}`;
    cursor.setAttribute("aria-label", `+ ${clock(place.from)}–${clock(place.to)} ${wishes.roomName(place.room)}`);
    cursor.classList.toggle("clash", Boolean(wishes.clashOf(place)));
    rove(cursor);
    cursor.focus({ preventScroll: true });
    cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
    say(wishes.describe(place));
  }

  function leaveCursor() {
    cursor.remove();
    place = null;
  }

  /** Goes up or down: to what covers the minute there, else the cursor goes there. */
  function goToRow(room, minute, length) {
    if (room === undefined) return;
    const entries = model.of(room);
    const there = entries.find((entry) => entry.s <= minute && minute < entry.e);
    if (there) focusEntry(there);
    else if (mayBook) putCursor({ room, from: minute - (minute % 15), to: minute - (minute % 15) + length });
    else if (entries.length) focusEntry(entries.reduce((a, b) => Math.abs(a.s - minute) < Math.abs(b.s - minute) ? a : b));
  }

  function onEntry(event, entry) {
    const [dx, dy] = ARROWS[event.key] ?? [0, 0];
    if (event.altKey && (dx || dy)) { changeWish(event, entry, dx, dy); return true; }
    if (wish && event.key === "Enter") { const kept = wish; giveUp(); keeper.keep(kept).then(() => focusBack(kept)); return true; }
    if (wish && event.key === "Escape") { giveUp(); say(texts.stays); return true; }
    if (dx) {
      const row = model.of(entry.r), next = row[row.findIndex(({ id }) => id === entry.id) + dx];
      if (next) focusEntry(next);
      return true;
    }
    if (dy) { goToRow(neighbour(entry.r, dy), Math.max(0, entry.s), 60); return true; }
    if (event.key.toLowerCase() === "n" && !event.ctrlKey && !event.metaKey) { putCursor(wishes.placing(entry.r, entry.f + 7)); return true; }
    return false;
  }

  function changeWish(event, entry, dx, dy) {
    if (!entry.m) { say(texts.not_movable); return; }
    wish ??= staying(entry);
    if (event.shiftKey) wish = { ...wish, kind: "resize", to: Math.max(wish.from + 15, wish.to + dx * 15) };
    else if (dx) wish = { ...wish, from: wish.from + dx * 15, to: wish.to + dx * 15 };
    else if (neighbour(wish.room, dy) !== undefined) wish = { ...wish, room: neighbour(wish.room, dy) };
    wishes.show(wish, { aloud: true });
  }

  function giveUp() {
    wish = null;
    wishes.hide();
  }

  const focusBack = ({ entry, room }) => {
    const found = model.get(`${entry.n}-${room}`) ?? model.get(entry.id);
    if (found) focusEntry(found);
  };

  function onCursor(event) {
    const [dx, dy] = ARROWS[event.key] ?? [0, 0];
    const { room, from, to } = place;
    if (dx && event.shiftKey) putCursor({ room, from, to: Math.max(from + 15, to + dx * 15) });
    else if (dx) { const step = event.ctrlKey ? 60 : 15; putCursor({ room, from: from + dx * step, to: to + dx * step }); }
    else if (dy) goToRow(neighbour(room, dy), from, to - from);
    else if (event.key === "Home" || event.key === "End") {
      const start = Math.floor(from / DAY) * DAY + (event.key === "Home" ? drawing.scale.opens : drawing.scale.closes - 60);
      putCursor({ room, from: start, to: start + to - from });
    } else if (event.key === "Escape") {
      const row = model.of(room);
      leaveCursor();
      if (row.length) focusEntry(row.reduce((a, b) => Math.abs(a.s - from) < Math.abs(b.s - from) ? a : b));
      else makeTabStop();
    } else return false;
    return true;
  }

  board.addEventListener("keydown", (event) => {
    if (event.target === cursor) { if (onCursor(event)) event.preventDefault(); return; }
    const entry = entryOf(event.target);
    if (entry && onEntry(event, entry)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase(), isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (key === "z" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && !event.target.closest?.("input, textarea, select, dialog")) {
      event.preventDefault();
      keeper.takeBackLast();
    } else if (isPlain && (key === "n" || event.key in ARROWS) && [document.body, document.getElementById("main")].includes(event.target)) {
      const stop = board.querySelector('.lane [tabindex="0"]');
      if (!stop) return;
      event.preventDefault();
      stop.focus();
      if (key === "n" && entryOf(stop)) onEntry(event, entryOf(stop));
      else stop.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  });
  cursor.addEventListener("click", () => open(place));
  board.addEventListener("focusout", (event) => { if (wish && !event.relatedTarget?.closest?.(`[data-id="${CSS.escape(wish.entry.id)}"]`)) giveUp(); });
  board.addEventListener("focusin", (event) => { const element = event.target.closest(".entry"); if (element) rove(element); });

  /** The one element that Tab reaches, when nothing was focused yet. */
  function makeTabStop() {
    if (board.querySelector('.lane [tabindex="0"]')) return;
    const first = board.querySelector(".entry");
    if (first) first.tabIndex = 0;
    else if (mayBook) {
      const room = drawing.order[0], from = Math.max(0, drawing.scale.opens);
      place = { kind: "create", entry: null, room, from, to: from + 60 };
      drawing.put(cursor, { s: from, e: from + 60 });
      cursor.textContent = `+ ${clock(from)}–${clock(from + 60)}`;
      cursor.tabIndex = 0;
      drawing.rows.get(room).lastElementChild.append(cursor);
    }
  }

  /** After the dialog: on to what was `booked` ({number, room}) once it is drawn, else back to where one was. */
  function backFromDialog(booked) {
    awaited = booked;
    if (place && !wishes.clashOf(place)) putCursor(place);
    else leaveCursor();
    makeTabStop();
    goToBooked();
  }

  /** Goes to what was booked in the dialog, once it is drawn, unless one has gone elsewhere by then. */
  function goToBooked() {
    const found = awaited && model.get(`${awaited.number}-${awaited.room}`);
    if (!found) return;
    awaited = null;
    if ([cursor, document.body, null].includes(document.activeElement)) focusEntry(found);
  }

  return { putCursor, makeTabStop, backFromDialog, goToBooked };
}
