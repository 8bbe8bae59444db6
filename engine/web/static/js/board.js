// The board: reads what the page brought along, draws it, and keeps it as the server has it.
import { makeScale, quietDays, usualHours } from "./board/scale.js";
import { makeModel } from "./board/model.js";
import { makeDrawing } from "./board/draw.js";
import { makeWishes } from "./board/wishes.js";
import { makeKeeper } from "./board/keep.js";
import { makeDialog } from "./board/dialog.js";
import { makeCard } from "./board/card.js";
import { listenToKeys } from "./board/keys.js";
import { listenToPointer } from "./board/drag.js";
import { send } from "./send.js";
import "./day_form.js";

const board = document.getElementById("board");
const read = (id) => JSON.parse(document.getElementById(id).textContent);

if (board && !("chosen" in board.dataset) && matchMedia("(max-width: 639px)").matches) {
  const address = new URL(location);
  address.searchParams.set("view", "list");
  location.replace(address);
} else if (board) start();

function start() {
  const texts = read("board-texts");
  const { entries } = read("board-data");
  const days = Number(board.dataset.days);
  const model = makeModel(entries);
  const kept = { zoom: Number(localStorage.getItem(`zoom-${board.dataset.view}`)) || 1, whole: localStorage.getItem("nights") === "1" };
  const findQuiet = () => quietDays(model.all(), days, board.dataset.first);
  const newScale = () => makeScale({ days, ...usualHours(model.all()), whole: kept.whole, quiet: findQuiet() });
  const drawing = makeDrawing({ board, model, texts, scale: newScale() });
  const opened = { now: Number(board.dataset.now), at: Date.now() };
  const mayBook = Boolean(board.dataset.mayBook);
  const say = (text) => { document.getElementById("board-says").textContent = text; };
  const wishes = makeWishes({ board, model, drawing, texts, say });
  const keeper = makeKeeper({ board, model, drawing, wishes, texts, say, look: refresh });
  const dialog = makeDialog({ board, wishes, keeper, texts, onClose: (booked) => keys.backFromDialog(booked) });
  const keys = listenToKeys({ board, model, drawing, wishes, keeper, texts, say, mayBook, open: dialog.open });
  makeCard({ board, model, drawing, texts, wishes });
  listenToPointer({ board, model, drawing, wishes, keeper, mayBook, place: keys.putCursor, open: dialog.open });
  const now = () => opened.now + Math.floor((Date.now() - opened.at) / 60000);

  function arrange() {
    board.style.setProperty("--zoom", kept.zoom);
    board.classList.toggle("whole", kept.whole);
    drawing.scale = newScale();
    drawing.drawHours();
    drawing.drawNow(now());
    drawing.drawAll(() => {
      keys.makeTabStop();
      document.documentElement.dataset.ready = "yes";
      performance.mark("board-drawn");
    });
  }

  function setUpZoom() {
    const nights = document.getElementById("nights");
    const change = (factor) => () => {
      kept.zoom = Math.min(6, Math.max(1, kept.zoom * factor));
      localStorage.setItem(`zoom-${board.dataset.view}`, kept.zoom);
      board.style.setProperty("--zoom", kept.zoom);
      drawing.drawHours();
    };
    nights.setAttribute("aria-pressed", kept.whole);
    nights.addEventListener("click", () => {
      kept.whole = !kept.whole;
      localStorage.setItem("nights", kept.whole ? "1" : "0");
      nights.setAttribute("aria-pressed", kept.whole);
      arrange();
    });
    document.getElementById("zoom-in").addEventListener("click", change(1.5));
    document.getElementById("zoom-out").addEventListener("click", change(1 / 1.5));
  }

  async function refresh(loans) {
    const address = new URL("/board/entries", location.origin);
    address.search = location.search;
    address.searchParams.set("view", board.dataset.view);
    address.searchParams.set("day", board.dataset.first);
    for (const number of loans ?? []) address.searchParams.append("loan", number);
    const { ok, body } = await keeper.readAtRest(() => send("GET", address));
    if (!ok) return;
    const changed = model.update(loans, body.entries), quiet = findQuiet();
    const isFolded = [...Array(days).keys()].every((day) => drawing.scale.isQuiet(day) === (quiet.has(day) && !kept.whole));
    if (isFolded) for (const room of changed) drawing.drawRow(room);
    else arrange();
    keys.makeTabStop();
    keys.goToBooked();
    Object.assign(opened, { now: body.now, at: Date.now() });
  }

  setUpZoom();
  arrange();
  setInterval(() => drawing.drawNow(now()), 30000);
  new ResizeObserver(() => drawing.drawHours()).observe(board);
  document.body.addEventListener("accord:loans", (event) => refresh(event.detail.loans));
}
