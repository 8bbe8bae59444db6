// Drawing: rows are there already, entries are put into them. Places are percentages set through the CSSOM, since the
// content security policy refuses style attributes; so a change of width costs no work here.
import { DAY, clock } from "./scale.js";
import { layLanes, reachesOf } from "./model.js";
import { fill } from "./wishes.js";

const AT_ONCE = 40;
const ROOMY = 64, WORD = 38, INSIDE = WORD + 12; // pixels: enough for a title, for the beginning of a word, and with what is around it
const SLIM = 27; // pixels: enough for three letters of a title in small print, which goes on below them
const TWO_LINES = 96; // pixels: narrower ones have their title over two lines, since their time would be cut
const ONE_LINE = 220; // pixels: wider ones keep their time, even where it is the title that is cut
const AROUND = 19; // pixels beside a title, inside its entry
const SMALL = 11 / 12.5; // a title over two lines, or beside its entry, in parts of one in a line

export function makeDrawing({ board, model, texts, scale }) {
  const rows = new Map();
  for (const row of board.querySelectorAll(".board-row")) rows.set(Number(row.dataset.room), row);
  const order = [...rows.keys()];
  const days = Number(board.dataset.days);
  const state = { scale, width: 1000 };
  const reaches = new Map(), sides = new Map(), lengths = new Map();
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `600 12.5px ${getComputedStyle(board).fontFamily}`;

  /** How long a title is in one line, in pixels. */
  function lengthOf(title) {
    if (!lengths.has(title)) lengths.set(title, pen.measureText(title).width);
    return lengths.get(title);
  }

  const titleOf = (entry) => entry.ls === "meeting" ? texts.meeting : entry.p ? texts.private : entry.t || entry.w || texts.untitled;

  /** The name for screen readers: what can be read, and then what colours and patterns say. */
  function nameOf(entry, text) {
    const facts = [texts.statuses[entry.ls], entry.st === "accepted" ? "" : texts.states[entry.st], entry.ls === "meeting" ? "" : texts.homes[entry.hm]];
    return [text, ...facts].filter(Boolean).join(", ");
  }

  /** What is shown of its time: an end beyond the days in view is none of theirs. */
  function hoursOf(entry) {
    const isBefore = entry.s < 0, goesOn = entry.e > days * DAY;
    if (isBefore && goesOn) return texts.all_day;
    if (isBefore) return fill(texts.until, { time: clock(entry.e) });
    return goesOn ? fill(texts.from, { time: clock(entry.s) }) : `${clock(entry.s)}–${clock(entry.e)}`;
  }

  function put(element, entry) {
    const { place } = state.scale;
    element.style.left = `${place(entry.s) * 100}%`;
    element.style.width = `${(place(entry.e) - place(entry.s)) * 100}%`;
  }

  /** Where a short entry has its title: in the free place after it, before it where more of it can be read there, or nowhere. */
  function sideOf(entry, width) {
    if (entry.p || width >= ROOMY) return ["", 0]; // "busy" beside every bar tells nothing
    const { place } = state.scale, { since, after, until } = reaches.get(entry.id) ?? { since: entry.s, until: entry.e };
    const behind = (place(until) - place(entry.e)) * state.width - 6;
    const before = sides.get(after) === "after" ? 0 : (place(entry.s) - place(since)) * state.width - 6;
    const isWhole = behind * 2 * .8 >= lengthOf(titleOf(entry)) * SMALL; // over two lines, which words do not fill
    const [side, room] = isWhole || before <= behind ? ["after", behind] : ["before", before];
    return room >= WORD && room > width ? [side, room] : ["", 0];
  }

  /** Says how much text an entry has room for: all of it, the title over some lines or in the free place beside it, or none. */
  function fit(element, entry) {
    const { place } = state.scale;
    const width = (place(entry.e) - place(entry.s)) * state.width;
    const [side, room] = sideOf(entry, width);
    const isCut = width < ONE_LINE && lengthOf(titleOf(entry)) > width - AROUND;
    sides.set(entry.id, side);
    element.classList.toggle("narrow", width < TWO_LINES || isCut);
    element.classList.toggle("timed", width >= TWO_LINES);
    const isTiny = width < (entry.p && days > 1 ? ROOMY : INSIDE) && !side;
    const isSlim = isTiny && !entry.p && days === 1 && width >= SLIM;
    element.classList.toggle("tiny", isTiny && !isSlim);
    element.classList.toggle("slim", isSlim);
    element.classList.toggle("spills", side !== "");
    element.classList.toggle("before", side === "before");
    if (side) element.style.setProperty("--beside", `${Math.floor(room)}px`);
  }

  function makeEntry(entry, lane) {
    const element = document.createElement(entry.n ? "a" : "span");
    element.className = `entry home-${entry.hm} state-${entry.st} status-${entry.ls}`;
    if (entry.p && entry.ls !== "meeting") element.classList.add("unread");
    if (entry.h === 0) element.classList.add("loose");
    if (entry.m) element.classList.add("movable");
    if (entry.s < 0) element.classList.add("from-before");
    if (entry.e > days * DAY) element.classList.add("goes-on");
    if (entry.n) { element.href = `/loans/${entry.n}`; element.draggable = false; }
    element.dataset.id = entry.id;
    element.tabIndex = -1;
    if (!entry.n) element.setAttribute("role", "note");
    const title = document.createElement("b");
    title.textContent = titleOf(entry);
    const more = document.createElement("small");
    more.textContent = `${hoursOf(entry)}${entry.t && entry.w ? ` ${entry.w}` : ""}`;
    element.append(title, " ", more);
    element.setAttribute("aria-label", nameOf(entry, `${title.textContent} ${more.textContent}`));
    put(element, entry);
    fit(element, entry);
    if (lane) element.style.setProperty("--lane", lane);
    return element;
  }

  function drawRow(room) {
    const row = rows.get(room);
    if (!row) return;
    const entries = model.of(room);
    const [lanes, count] = layLanes(entries);
    for (const [index, reach] of reachesOf(entries, lanes, DAY).entries()) reaches.set(entries[index].id, reach);
    row.style.setProperty("--lanes", count);
    const lane = row.lastElementChild, focused = lane.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    lane.replaceChildren(...entries.map((entry, index) => makeEntry(entry, lanes[index])), ...lane.querySelectorAll("[data-keep]"));
    if (focused) lane.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  /** Draws the rows in sight now and the others when there is time. */
  function drawAll(done = () => {}) {
    order.slice(0, AT_ONCE).forEach(drawRow);
    performance.mark("board-in-sight");
    const rest = order.slice(AT_ONCE);
    (function more() {
      rest.splice(0, AT_ONCE).forEach(drawRow);
      if (rest.length) setTimeout(more); else done();
    })();
  }

  function drawHours() {
    const { place, opens, closes, whole } = state.scale;
    const width = board.querySelector(".lane").clientWidth;
    const perHour = width / state.scale.units * 60;
    if (width !== state.width) {
      state.width = width;
      for (const element of board.querySelectorAll(".entry")) fit(element, model.get(element.dataset.id));
    }
    const step = perHour > 44 ? 1 : perHour > 22 ? 2 : perHour > 14 ? 3 : 6;
    const head = board.querySelector("#hours"), marks = [];
    for (const label of head.querySelectorAll(".hour")) label.remove();
    for (const day of head.querySelectorAll(".head-day")) {
      const number = Number(day.dataset.day);
      day.style.left = `${place(number * DAY) * 100}%`;
      day.style.width = `${(place((number + 1) * DAY - .001) - place(number * DAY)) * 100}%`;
      day.classList.toggle("quiet", state.scale.isQuiet(number));
      if (state.scale.isQuiet(number)) continue;
      const last = whole ? DAY - 60 : days > 1 ? closes - 60 : closes; // where days meet, one label is enough
      for (let minute = whole ? 0 : opens; minute <= last; minute += step * 60) {
        marks.push([number * DAY + minute, clock(minute).slice(0, 2)]);
      }
    }
    for (const [minute, text] of marks) {
      const label = Object.assign(document.createElement("span"), { className: "hour", textContent: text });
      label.style.left = `${place(minute) * 100}%`;
      head.append(label);
    }
    drawLines(marks.map(([minute]) => minute));
  }

  /** The lines behind the entries: one picture of gradients shared by all rows. */
  function drawLines(minutes) {
    const { place, opens, closes, whole } = state.scale;
    const at = (minute) => `${(place(minute) * 100).toFixed(4)}%`;
    const line = (minute, colour) => `linear-gradient(${colour}, ${colour}) ${at(minute)} 0 / 1px 100% no-repeat`;
    const night = [];
    if (!whole) for (let day = 0; day < days; day++) {
      if (state.scale.isQuiet(day)) {
        night.push(band(place(day * DAY), place((day + 1) * DAY - .001)));
        continue;
      }
      for (const [from, to] of [[day * DAY, day * DAY + opens], [day * DAY + closes, (day + 1) * DAY - .001]]) {
        night.push(band(place(from), place(to)));
      }
    }
    const midnights = Array.from({ length: days - 1 }, (_, day) => line((day + 1) * DAY, "var(--line-strong)"));
    board.style.setProperty("--lines", [...midnights, ...minutes.map((minute) => line(minute, "var(--line-soft)")), ...night].join(", "));
  }

  function drawNow(minute) {
    const inside = minute >= 0 && minute < days * DAY;
    board.classList.toggle("has-now", inside);
    if (inside) board.style.setProperty("--now-place", state.scale.place(minute));
  }

  return {
    rows, order, titleOf, drawRow, drawAll, drawHours, drawNow, put,
    get scale() { return state.scale; },
    set scale(next) { state.scale = next; },
  };
}

/** A background that covers a stretch: background-position counts what is left over, hence the division. */
function band(from, to) {
  const width = to - from;
  return `linear-gradient(var(--sunken), var(--sunken)) ${((from / (1 - width)) * 100).toFixed(4)}% 0 / ${(width * 100).toFixed(4)}% 100% no-repeat`;
}
